"""
The reaper: a child process that outlives this one for a moment and ends what it left behind.

`finally` and signal handlers can't help a process that is killed. The reaper holds the other end of a pipe; when
this process is gone, for whatever reason, the pipe ends, and the reaper ends what is still kept (`reap.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["keep", "release"]

_SCRIPT = Path(__file__).with_name("reap.py")


class Reaper:
    """Start the child with the first thing kept, and let it go with the last one released."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[tuple[str, str]] = []
        self._child: subprocess.Popen[bytes] | None = None

    def keep(self, kind: str, value: str) -> None:
        """Have `value` ended if this process goes before it is released."""
        with self._lock:
            self._kept.append((kind, value))
            if self._child is None or not self._tell("keep", kind, value):
                self._start()

    def release(self, kind: str, value: str) -> None:
        """Forget `value`: it has been ended."""
        with self._lock:
            if (kind, value) not in self._kept:
                return
            self._kept.remove((kind, value))
            told = self._tell("release", kind, value)
            if not self._kept:
                self._stop()
            elif not told:
                self._start()

    def __repr__(self) -> str:
        return f"<Reaper of {len(self._kept)}>"

    def forget(self) -> None:
        """Leave everything to the parent: after a fork, the child owns nothing."""
        child, self._child = self._child, None
        self._lock = threading.Lock()
        self._kept.clear()
        if child is not None and child.stdin is not None:
            # An open end of the pipe in the forked child would hide the parent's death from the reaper.
            child.stdin.close()
            child.returncode = 0

    def _start(self) -> None:
        self._stop()
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SCRIPT)],
            bufsize=0,  # a line is kept once it is written
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal must not reach it
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # nor in the console of Windows
            cwd="/" if os.name == "posix" else None,
        )
        for kind, value in self._kept:
            self._tell("keep", kind, value)

    def _tell(self, verb: str, kind: str, value: str) -> bool:
        assert self._child is not None
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps([verb, kind, value]).encode() + b"\n")
        except OSError:
            return False
        return True

    def _stop(self) -> None:
        if self._child is not None and self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()
            self._child.wait()
            self._child = None


_reaper = Reaper()
keep = _reaper.keep
release = _reaper.release
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reaper.forget)
