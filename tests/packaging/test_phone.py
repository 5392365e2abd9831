"""An Android phone, as far as a Linux machine can stand for one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.processes import PATIENCE

SCRIPT = ROOT / "scripts" / "phone-setup"
HIDDEN_FILES = ("/proc/stat", "/proc/loadavg", "/proc/vmstat")
HIDDEN_FOLDERS = (
    "/sys/devices/system/cpu",
    "/sys/class/power_supply",
    "/sys/class/thermal",
    "/dev/snd",
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Termux is a kind of Linux")


def phone_setup(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "TERMUX_VERSION"}
    return subprocess.run(
        ["sh", SCRIPT, *words],
        env={**env, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def termux(tmp_path: Path) -> dict[str, str]:
    """Termux' commands, which note how they are called."""
    for name in ("pkg", "proot-distro", "termux-wake-lock"):
        command = tmp_path / name
        command.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\n')
        command.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return {"TERMUX_VERSION": "0.119", "PATH": path, "HOME": str(tmp_path)}


def test_elsewhere_than_in_termux_it_says_what_to_do() -> None:
    """And changes nothing."""
    done = phone_setup()
    assert done.returncode == 2
    assert "make run" in done.stderr


def test_it_sets_up_inside_debian_with_this_checkout(
    termux: dict[str, str], tmp_path: Path
) -> None:
    """Debian sees the checkout; the models of the profile are pulled at the end."""
    done = phone_setup(**termux)
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text()
    assert f"--bind {ROOT}:/opt/edgevoice" in calls
    assert calls.index("scripts/setup.py run") < calls.index("--profile phone models pull")
    assert phone_setup("start", **termux).returncode == 0
    assert "--profile phone serve" in (tmp_path / "calls").read_text()
    assert phone_setup("fly", **termux).returncode == 2


@pytest.mark.models
@pytest.mark.skipif(shutil.which("proot") is None, reason="proot is not installed")
def test_it_answers_under_proot_with_what_android_hides(
    model_path: Callable[[str], Path], tmp_path: Path
) -> None:
    """Without sound devices, processor times, cores, battery and heat."""
    (tmp_path / "nothing").mkdir()
    hidden = [*((path, "/dev/null") for path in HIDDEN_FILES)]
    hidden += [(path, str(tmp_path / "nothing")) for path in HIDDEN_FOLDERS]
    binds = [word for path, instead in hidden for word in ("-b", f"{instead}:{path}")]
    model = model_path("smollm2-135m")
    words = ["--profile", "phone", "--set", "models.slm=smollm2-135m", "--set", "slm.max_tokens=8"]
    done = subprocess.run(
        ["proot", *binds, sys.executable, "-m", "edgevoice", *words, "ask", "What is a cat?"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "EDGEVOICE_MODELS_FOLDER": str(model.parents[1]),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
