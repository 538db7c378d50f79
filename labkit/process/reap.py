"""
End what a process leaves behind; run by `reaper.py` as its child, by file path, with the standard library only.

Each line on stdin is a JSON list: ["keep" | "release", kind, value]. When stdin ends the process is gone,
however it went, and what is still kept is ended: a command is run (JSON: `command`, and the text of its `stdin`),
a folder is removed, and a process that has no supervisor is killed with its descendants.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

PATIENCE = 15.0  # seconds for the supervisors to end what writes in the folders
NEAR = 1.5  # seconds between two processes of one number, at least; the time of the start is a whole second
LONGEST = 60.0  # seconds for a command: a server may never answer


def read(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Read until the process is gone; return what it still kept, as (kind, value)."""
    kept: dict[tuple[str, str], None] = {}
    for line in lines:
        with suppress(ValueError):
            verb, kind, value = json.loads(line)
            if verb == "keep":
                kept[kind, value] = None
            else:
                kept.pop((kind, value), None)
    return list(kept)


def end(kept: list[tuple[str, str]]) -> None:
    """End what is kept: processes first, folders last, since a dying server may still write."""
    quiet = subprocess.DEVNULL
    for value in [value for kind, value in kept if kind == "process"]:
        kill(*json.loads(value))
    for value in [json.loads(value) for kind, value in kept if kind == "command"]:
        given = value.get("stdin", "").encode()
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(value["command"], input=given, stdout=quiet, stderr=quiet, timeout=LONGEST, check=False)
    deadline = time.monotonic() + PATIENCE
    for value in [value for kind, value in kept if kind == "folder"]:
        shutil.rmtree(value, ignore_errors=True)
        while os.path.exists(value) and time.monotonic() < deadline:  # a process still writes, or has a file open
            time.sleep(0.01)
            shutil.rmtree(value, ignore_errors=True)


def kill(pid: int, then: float, libraries: str) -> None:
    """Kill a process that began then, and its descendants; `libraries` is the folder in which psutil is."""
    sys.path.append(libraries)
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if abs(began(process) - then) < NEAR:
            for each in [process, *process.children(recursive=True)]:
                with suppress(psutil.Error):
                    each.kill()


def began(process: psutil.Process) -> float:
    """Return when a process began, in seconds on a clock that nobody sets."""
    import psutil

    # Linux counts from the start of the machine. psutil adds the time of that start, which moves with the clock.
    return process.create_time() - (psutil.boot_time() if sys.platform == "linux" else 0.0)


def main(lines: IO[str]) -> None:
    """Stay until the process is gone; a signal meant for it is none of ours."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    end(read(lines))


if __name__ == "__main__":
    main(sys.stdin)
