"""Pinning what is loaded, where that is allowed."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from edgevoice.engines import mlock

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux pins memory")

CHILD = """
import mmap, os, resource, sys
from edgevoice.engines.mlock import lock_memory, may_lock
if limit := int(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    if os.geteuid() == 0:
        os.setuid(65534)  # root has no limits
print(may_lock(64_000_000), lock_memory())
print(int(open("/proc/self/status").read().split("VmLck:")[1].split()[0]) > 0)
"""
IPC_LOCK = 1 << 14


FREED = """
import ctypes, threading
from edgevoice.engines.mlock import heap_unlocked, lock_memory
from edgevoice.resources import free_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def status(name):
    return int(open("/proc/self/status").read().split(name + ":")[1].split()[0]) // 1024
def work():
    blocks = [libc.malloc(2000) for _ in range(100_000)]
    for block in blocks:
        ctypes.memset(block, 1, 2000)
    print(lock_memory())
    for block in blocks[:-1]:
        libc.free(block)
thread = threading.Thread(target=work)
thread.start()
thread.join()
full = status("VmRSS")
free_memory()
locked = status("VmRSS")
with heap_unlocked():
    free_memory()
print(full - locked < 50, full - status("VmRSS") > 150, status("VmLck") > 0)
"""


def child(limit: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(limit)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@LINUX
def test_a_small_limit_is_a_quiet_no() -> None:
    """With eight megabytes allowed nothing is pinned, nothing fails and nothing is printed."""
    assert child(8_000_000) == ["False", "False", "False"]


@LINUX
def test_where_it_is_allowed_memory_is_pinned() -> None:
    """Without a limit, what was touched stays, and the kernel says so."""
    import resource

    capable = int(Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0], 16)
    if not capable & IPC_LOCK and resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != -1:
        pytest.skip("this user may not pin memory")
    assert child(0) == ["True", "True", "True"]


@LINUX
def test_what_is_freed_goes_back_to_the_system_though_memory_is_locked() -> None:
    """Linux takes no locked page back: the heap is unlocked for as long as that takes."""
    command = [sys.executable, "-c", FREED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    locked, *freed = done.stdout.split()
    if locked != "True":
        pytest.skip("this user may not lock memory")
    assert freed == ["True"] * 3


def test_other_systems_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no such call the answer is no, before anything native is asked."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not mlock.lock_memory()
    assert not mlock.may_lock(1)


def test_where_nothing_is_locked_the_heap_needs_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS and Windows there is no such call, and freeing memory must not end a session."""
    monkeypatch.setattr(mlock, "process_status", lambda name: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: pytest.fail("native code was asked"))
    with mlock.heap_unlocked():
        pass


def test_a_c_library_without_the_call_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old or small C library lacks it, and that is not an error."""
    monkeypatch.setattr(mlock.ctypes, "CDLL", lambda *_, **__: object())
    assert not mlock.lock_memory()
    assert not mlock.may_lock(1)


def test_reading_ahead_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    """The loader itself says what is wrong with the file."""
    mlock.fetch_ahead(tmp_path / "missing.gguf")
