"""Other processes, on every system: waiting for one, and ending it with all that it has started."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

__all__ = ["kill_tree", "wait_for"]

STEP = 0.5  # seconds


def wait_for(process: subprocess.Popen[Any], seconds: float = math.inf) -> int:
    """
    Wait for the end of a process, and return its exit status; handlers of signals run meanwhile.

    Raises `subprocess.TimeoutExpired` after so many seconds.
    """
    # In steps: a wait without a limit hears no Ctrl-C on Windows, and nowhere one that came just before it began.
    while seconds > STEP:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(STEP)
        seconds -= STEP
    return process.wait(seconds)


def kill_tree(leader: int) -> None:
    """
    Kill a process and all that it has started: the group that it leads; on Windows, its descendants.

    Windows knows no descendants of a process that has ended: what such a one has started goes on there.
    """
    if sys.platform == "win32":
        with suppress(OSError):
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(leader)], capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
