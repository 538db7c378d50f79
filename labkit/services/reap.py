"""
End what a process leaves behind; run by `reaper.py` as its child, by file path, with the standard library only.

Each line on stdin is a JSON list: ["keep" | "release", kind, value]. When stdin ends the process is gone,
however it went, and what is still kept is ended: a process is killed with its group, a command is run, a folder
is removed.
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
from typing import IO

PATIENCE = 10.0  # seconds for a killed process to be gone


def identity(pid: int) -> str:
    """Return what tells this process from a later one with the same number; "" when it has ended, or on Windows."""
    if sys.platform == "win32":
        return ""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return "" if os.path.exists("/proc/self") else _ask_ps(pid)
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _ask_ps(pid: int) -> str:
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def read(lines: Iterable[str]) -> list[tuple[str, str, str]]:
    """Read until the process is gone; return what it still kept, as (kind, value, identity)."""
    kept: dict[tuple[str, str], str] = {}
    for line in lines:
        with suppress(ValueError):
            verb, kind, value = json.loads(line)
            if verb == "keep":
                kept[kind, value] = identity(int(value)) if kind == "process" else ""
            else:
                kept.pop((kind, value), None)
    return [(kind, value, who) for (kind, value), who in kept.items()]


def end(kept: list[tuple[str, str, str]]) -> None:
    """End what is kept: processes first, folders last, since a dying server may still write."""
    processes = [(int(value), who) for kind, value, who in kept if kind == "process"]
    for pid, who in processes:
        if sys.platform == "win32":  # its number is no other's as long as its parent could wait for it: until now
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
        elif who and identity(pid) == who:
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL)
    for kind, value, _ in kept:
        if kind == "command":
            quiet = subprocess.DEVNULL
            subprocess.run(json.loads(value), stdin=quiet, stdout=quiet, stderr=quiet, check=False)
    deadline = time.monotonic() + PATIENCE
    while any(who and identity(pid) == who for pid, who in processes) and time.monotonic() < deadline:
        time.sleep(0.01)
    for kind, value, _ in kept:
        if kind == "folder":
            shutil.rmtree(value, ignore_errors=True)
            while os.path.exists(value) and time.monotonic() < deadline:  # Windows keeps what is still open
                time.sleep(0.01)
                shutil.rmtree(value, ignore_errors=True)


def main(lines: IO[str]) -> None:
    """Stay until the process is gone; a signal meant for it is none of ours."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    end(read(lines))


if __name__ == "__main__":
    main(sys.stdin)
