"""A virtual microphone and speaker, for machines without sound devices (Linux, PulseAudio).

    python3 scripts/null_sinks.py start          start them and print how to use them
    python3 scripts/null_sinks.py env            print the variables that select them
    python3 scripts/null_sinks.py play FILE.wav  play a file into the microphone
    python3 scripts/null_sinks.py record OUT.wav record the speaker, until Ctrl-C
    python3 scripts/null_sinks.py stop           stop them

A private PulseAudio server runs two null sinks. Sound played to the sink `microphone` is recorded
by programs; sound that programs play can be recorded from the sink `speaker`. For programs that use
PortAudio or ALSA, both are the default devices. The output device `user` plays into the microphone.
The device `room` records the speaker, and plays into the microphone. Your own sound server is not
changed.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RATE = 48_000
NEEDED = ("pulseaudio", "pactl", "paplay", "parecord")
START_SECONDS = 20.0
SOUND_SECONDS = 300.0
"""Seconds that a program may load before it plays something."""

# Without rewinding, an unused sink advances in steps of 50 ms instead of 2 s, which a player would
# otherwise wait before its sound starts.
SERVER = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=speaker rate={rate} channels=2 norewinds=1 \
sink_properties=device.description=Speaker
load-module module-null-sink sink_name=microphone rate={rate} channels=1 norewinds=1 \
sink_properties=device.description=Microphone
set-default-sink speaker
set-default-source microphone.monitor
"""

# Only these devices, so that PortAudio lists no others.
ALSA = """\
pcm.!default { type pulse hint.description "Null sinks" }
ctl.!default { type pulse }
pcm.user { type asym playback.pcm { type pulse device microphone } }
pcm.room { type asym
  playback.pcm { type pulse device microphone }
  capture.pcm { type pulse device speaker.monitor }
}
"""


class NullSinksError(Exception):
    """The null sinks cannot be started; the message gives the reason and the fix."""


class NullSinks:
    """A private sound server with its files in `folder`; `server` is its start script."""

    def __init__(self, folder: Path, server: str = SERVER) -> None:
        self.folder = folder
        self._script = server
        self._pid = folder / "pid"
        self._server: subprocess.Popen[bytes] | None = None
        self._programs: list[subprocess.Popen[bytes]] = []

    def env(self) -> dict[str, str]:
        """Environment variables that select these sinks in PulseAudio, ALSA and PortAudio."""
        return {
            "XDG_RUNTIME_DIR": str(self.folder),
            "PULSE_SERVER": f"unix:{self.folder}/native",
            "PULSE_RUNTIME_PATH": str(self.folder),
            "PULSE_STATE_PATH": str(self.folder),
            "PULSE_COOKIE": str(self.folder / "cookie"),
            "ALSA_CONFIG_PATH": str(self.folder / "asound.conf"),
        }

    def check_folder(self) -> None:
        """Raise NullSinksError if others have put a folder or a link where ours belongs."""
        try:
            found = self.folder.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise NullSinksError(f"not a folder of this user: {self.folder}\n  fix: remove it")

    def start(self) -> None:
        """Start the server and wait until it answers. Raises NullSinksError."""
        missing = [name for name in NEEDED if not shutil.which(name)]
        if missing:
            raise NullSinksError(
                f"not installed: {', '.join(missing)}\n"
                "  fix: sudo apt-get install pulseaudio pulseaudio-utils libasound2-plugins"
            )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.check_folder()
        script = self.folder / "server.pa"
        script.write_text(self._script.format(folder=self.folder, rate=RATE))
        (self.folder / "asound.conf").write_text(ALSA)
        log = self.folder / "server.log"
        with log.open("w") as output:
            server = subprocess.Popen(
                [
                    *("pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
                    *("--disallow-exit", "--realtime=no", "--high-priority=no", "-n", "-F", script),
                ],
                env={**os.environ, **self.env()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._server = server
        self._pid.write_text(str(server.pid))
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and server.poll() is None:
            if self.running():
                return
            time.sleep(0.05)
        server.kill()
        server.wait()
        self._pid.unlink()
        raise NullSinksError(f"PulseAudio did not start:\n{log.read_text().strip()}")

    def running(self) -> bool:
        """Whether the server replies and has both sinks."""
        listed = self._call("pactl", "list", "short", "sinks", check=False)
        return all(f"\t{name}\t" in listed for name in ("speaker", "microphone"))

    def kill(self) -> None:
        """Kill the server, like a crash; `start` starts it again."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()

    def stop(self) -> None:
        """End the server, players and recorders, and remove its files."""
        for program in self._programs:
            program.kill()
            program.wait()
        if self._pid.exists():
            pid = int(self._pid.read_text())
            # Another program may have this process id by now.
            if b"pulseaudio" in _command_line(pid):
                os.kill(pid, signal.SIGTERM)
                self._wait_for_end(pid)
        shutil.rmtree(self.folder, ignore_errors=True)

    def play(self, wav: Path, sink: str = "microphone") -> subprocess.Popen[bytes]:
        """Start to play `wav` into `sink`; the returned process ends with the sound."""
        return self._program("paplay", f"--device={sink}", str(wav))

    def record(
        self, wav: Path, sink: str = "speaker", channels: int = 1, rate: int = 16_000
    ) -> subprocess.Popen[bytes]:
        """Start to record `sink` to `wav`; SIGINT to the returned process completes the file."""
        return self._program(
            *("parecord", f"--device={sink}.monitor", "--file-format=wav"),
            *(f"--channels={channels}", f"--rate={rate}", "--format=s16le", "--latency-msec=50"),
            str(wav),
        )

    def wait_for_sound(self) -> None:
        """Wait until a program plays to the speaker. Raises NullSinksError."""
        end = time.monotonic() + SOUND_SECONDS
        while time.monotonic() < end:
            if self._call("pactl", "list", "short", "sink-inputs"):
                return
            time.sleep(0.05)
        raise NullSinksError("nothing was played")

    def unplug(self, sink: str) -> None:
        """Remove `sink` while programs use it, like unplugging a USB device."""
        for line in self._call("pactl", "list", "short", "modules").splitlines():
            if f"sink_name={sink} " in line:
                self._call("pactl", "unload-module", line.split("\t")[0])

    def plug_in(self, sink: str, rate: int = RATE) -> None:
        """Add `sink` again, as the default device, at `rate` Hz."""
        for line in self._script.format(folder=self.folder, rate=rate).splitlines():
            if f"sink_name={sink} " in line:
                self._call("pactl", *line.split())
        if sink == "speaker":
            self._call("pactl", "set-default-sink", sink)
        elif sink == "microphone":
            self._call("pactl", "set-default-source", f"{sink}.monitor")

    def pactl(self, *words: str) -> str:
        """The output of `pactl`."""
        return self._call("pactl", *words)

    def _wait_for_end(self, pid: int) -> None:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            # Only the process that started the server can wait for it.
            ended = self._server.poll() is not None if self._server else not _command_line(pid)
            if ended:
                return
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)

    def _program(self, *command: str) -> subprocess.Popen[bytes]:
        environ = {**os.environ, **self.env()}
        program = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL)
        self._programs.append(program)
        return program

    def _call(self, *command: str, check: bool = True) -> str:
        environ = {**os.environ, **self.env(), "LC_ALL": "C"}
        return subprocess.run(
            command, env=environ, check=check, capture_output=True, text=True
        ).stdout


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def main() -> int:
    words = sys.argv[1:] or ["help"]
    sinks = NullSinks(Path(tempfile.gettempdir()) / f"edgevoice-null-sinks-{os.getuid()}")
    sinks.check_folder()
    script = shlex.quote(str(Path(__file__)))
    if words[0] in ("play", "record", "env") and not sinks.running():
        print(f"the null sinks are not running\n  fix: python3 {script} start", file=sys.stderr)
        return 1
    if words == ["start"]:
        if not sinks.running():
            sinks.start()
        print(
            f"The virtual microphone and speaker are running. In a shell:\n"
            f'  eval "$(python3 {script} env)"\n'
            f"  edgevoice run --plain\n"
            f"In another shell, record the reply and play a question:\n"
            f"  python3 {script} record reply.wav\n"
            f"  python3 {script} play question.wav\n"
            f"Or measure the response time of thirty questions, with the variables set:\n"
            f"  edgevoice bench run --through-devices --play-to user\n"
            f"To stop them:\n"
            f"  python3 {script} stop"
        )
    elif words == ["stop"]:
        sinks.stop()
    elif words == ["env"]:
        for name, value in sinks.env().items():
            print(f"export {name}={shlex.quote(value)}")
    elif len(words) == 2 and words[0] in ("play", "record"):
        program = sinks.play(Path(words[1])) if words[0] == "play" else sinks.record(Path(words[1]))
        try:
            return program.wait()
        except KeyboardInterrupt:
            program.wait()
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NullSinksError as error:
        print(f"null sinks: {error}", file=sys.stderr)
        sys.exit(1)
