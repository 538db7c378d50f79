"""The processes that a program has started, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from labkit.process import kill_tree

__all__ = ["Known", "descendants", "stop", "wait_until"]

GRACE = 2.0  # seconds from SIGTERM to SIGKILL
STEP = 0.01  # seconds between two looks

_PROC = Path("/proc")
# Each by itself: the `ps` of macOS takes all that follows a "=" for the title of that column.
_COLUMNS = ["-o", "ppid=", "-o", "pid=", "-o", "stat=", "-o", "lstart="]


class Known(NamedTuple):
    """A process that can't be mistaken for a later one of the same number."""

    pid: int
    began: str


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait until `done()`, for at most so many seconds; return what it said last."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(STEP)
    return True


def descendants(pid: int) -> list[Known]:
    """Return the processes that a process has started, and those that they have, the eldest first."""
    children: dict[int, list[Known]] = {}
    for parent, known in _table():
        children.setdefault(parent, []).append(known)
    found: list[Known] = []
    pending = [pid]
    while pending:
        born = children.pop(pending.pop(), [])
        found += born
        pending += [known.pid for known in born]
    return found


def stop(process: subprocess.Popen[bytes], others: Iterable[Known]) -> None:
    """End a process and these others: SIGTERM, then SIGKILL for those that are still there; on Windows, at once."""
    known = [*others]
    if sys.platform == "win32":  # nobody can be asked to end there
        kill_tree(process.pid)
        process.wait()
        return
    process.terminate()
    _send(known, signal.SIGTERM)
    wait_until(lambda: process.poll() is not None and not _left(known), GRACE)
    known += [each for each in descendants(process.pid) if each not in known]
    process.kill()
    _send(known, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not _left(known), GRACE)


def _send(known: Iterable[Known], number: int) -> None:
    for each in _left(known):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(each.pid, number)


def _left(known: Iterable[Known]) -> list[Known]:
    wanted = set(known)
    return [each for _, each in _table() if each in wanted] if wanted else []


def _table() -> Iterator[tuple[int, Known]]:
    """
    Return every process with the number of its parent, but for those that have ended and are still listed.

    On Windows there are none to be had: a process is ended with its descendants, whoever they are.
    """
    if sys.platform == "win32":
        return iter(())
    return _from_proc() if (_PROC / "self" / "stat").exists() else _from_ps()


def _from_proc() -> Iterator[tuple[int, Known]]:
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                # The second field, a name in brackets, may hold anything.
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    yield int(fields[1]), Known(int(folder.name), fields[19])


def _from_ps() -> Iterator[tuple[int, Known]]:
    with contextlib.suppress(OSError):
        table = subprocess.run(["ps", "-A", *_COLUMNS], capture_output=True, text=True)
        for line in table.stdout.splitlines():
            parent, pid, state, began = line.split(None, 3)
            if not state.startswith("Z"):
                yield int(parent), Known(int(pid), began)
