"""A child process that Ctrl-C does not reach: who has started it ends it, and nobody else."""

from __future__ import annotations

import signal
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess

__all__ = ["start_deaf"]


def start_deaf(child: BaseProcess) -> None:
    """
    Start a child that is deaf to SIGINT, from its first instant on.

    A terminal sends Ctrl-C to every process that runs there. A child that heard it while it begins would print a
    traceback of its own, into the middle of what its parent says.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        child.start()
        return
    resource_tracker.ensure_running()  # its own start, with the first child's, would unblock SIGINT again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.start()  # it inherits the mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
