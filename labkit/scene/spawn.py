"""A child process for what may hang, fork, or die: who has started it ends it, with all that it has started."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from labkit.errors import InvalidInput
from labkit.process import kill_tree

__all__ = ["check_importable", "child_process"]

# What most children need is imported once, by a server that does nothing else; it has no threads, and forks them.
NEEDED = ["labkit.contract", "labkit.course.examiner"]
if sys.platform == "linux":
    CONTEXT = multiprocessing.get_context("forkserver")
else:
    CONTEXT = multiprocessing.get_context("spawn")


@contextmanager
def child_process(target: Callable[..., None], *args: Any, name: str) -> Iterator[tuple[BaseProcess, Connection]]:
    """
    Run `target(pipe, *args)` in a fresh process; give that process, and the end of the pipe where it is heard.

    Of this process it has the environment, as it is now, and nothing else. At the end of the block it is killed
    with every process that it has started: they are one group, or on Windows its descendants. Ctrl-C does not reach
    it; on Windows, only once it has begun.
    """
    if sys.platform == "linux":
        CONTEXT.set_forkserver_preload(NEEDED)
    pipes: tuple[Any, Any] = CONTEXT.Pipe(duplex=False)  # of another class on Windows, which does the same
    ours, theirs = pipes
    child = CONTEXT.Process(target=_lead, args=(target, dict(os.environ), theirs, *args), name=name)
    _start_deaf(child)
    theirs.close()
    try:
        yield child, ours
    finally:
        if child.pid:  # 0 would be this process's own group
            kill_tree(child.pid)
        child.kill()
        child.join()
        ours.close()


def check_importable(what: str, *things: Any) -> None:
    """Raise `InvalidInput`, saying that `what` can't be played, unless a child could be sent these things."""
    try:
        packed = pickle.dumps(things)
    except Exception as error:
        raise InvalidInput(
            f"{what} can't be sent to a child process: {error}.",
            remedy="Define it at the top of a module, and give it plain values.",
        ) from None
    if b"__main__" in packed and not hasattr(sys.modules["__main__"], "__file__"):
        raise InvalidInput(
            f"{what} can't be played in a child process, which could not import it.",
            remedy="Define it in a module, and not in a notebook or at the prompt.",
        )


def _lead(target: Callable[..., None], environment: dict[str, str], pipe: Connection, *args: Any) -> None:
    """Become the first of a process group, and begin."""
    os.environ.clear()  # the server's is that of the moment when it began
    os.environ.update(environment)
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        os.setpgid(0, 0)
    target(pipe, *args)


def _start_deaf(child: BaseProcess) -> None:
    """
    Start a child that is deaf to SIGINT, from its first instant on.

    A terminal sends Ctrl-C to every process that runs there. A child that heard it while it begins would print a
    traceback of its own, into the middle of what its parent says.
    """
    if sys.platform == "win32":  # no signal can be kept back there: the child makes itself deaf
        child.start()
        return
    resource_tracker.ensure_running()  # its own start, with the first child's, would unblock SIGINT again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.start()  # it inherits the mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
