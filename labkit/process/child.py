"""A child process of Python for what may hang, fork, or die; it never outlives this one."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import resource_tracker, util
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from labkit.errors import InvalidInput
from labkit.process import reaper
from labkit.process.program import LIMIT, kill_tree
from labkit.process.signals import signals_held

if sys.platform != "win32":
    from labkit.process.supervisor import fork, supervise

__all__ = ["check_importable", "child_process"]

# What most children need is imported once, by a server that does nothing else; it has no threads, and forks them.
NEEDED = ["labkit.contract", "labkit.course.examiner", "ctypes"]
LONGEST = 70  # characters of the temporary folder: with them the path of the server's socket has just its 107


@contextmanager
def child_process(target: Callable[..., None], *args: Any, name: str) -> Iterator[tuple[BaseProcess, Connection]]:
    """
    Run `target(pipe, *args)` in a fresh process; give that process, and the end of the pipe where it is heard.

    Of this process it has the environment, as it is now, and nothing else. At the end of the block, and when this
    process ends, it is killed with all that it has started: on Linux, all descendants; on macOS, its process group
    and the descendants whose parents still run; on Windows only these, and only at the end of the block. What is
    given is its supervisor, which ends as it does. Ctrl-C does not reach it; on Windows, only once it has begun.
    """
    context = _context()
    pipes: tuple[Any, Any] = context.Pipe(duplex=False)  # of another class on Windows, which does the same
    ours, theirs = pipes
    # Packed, so that what the worker imports is imported by it, and not by its supervisor.
    packed = pickle.dumps((target, args))
    child = context.Process(target=_begin, args=(dict(os.environ), theirs, packed), name=name)
    _start_deaf(child)
    theirs.close()
    try:
        yield child, ours
    finally:
        ours.close()
        _end(child)


@cache
def _context() -> Any:
    if sys.platform != "linux" or len(os.fsencode(tempfile.gettempdir())) > LONGEST:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(NEEDED)
    # The server's socket is in a temporary folder, which nothing removes when Python is killed. In a child of
    # another child both are those of the first process.
    if multiprocessing.parent_process() is None:
        reaper.keep("folder", util.get_temp_dir())
    return context


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


def _begin(environment: dict[str, str], pipe: Connection, packed: bytes) -> None:
    """Fork into the worker, which goes on, and its supervisor, which stays here until the worker has ended."""
    os.environ.clear()  # the server's is that of the moment when it began
    os.environ.update(environment)
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        parent = multiprocessing.parent_process()
        assert parent is not None
        worker = fork()
        if worker:
            pipe.close()
            supervise(worker, parent.sentinel)
        os.setpgid(0, 0)
    target, args = pickle.loads(packed)
    target(pipe, *args)


def _end(child: BaseProcess) -> None:
    if sys.platform == "win32" and child.pid is not None:
        kill_tree(child.pid)
    child.terminate()
    child.join(LIMIT)
    child.kill()  # a supervisor that was stopped, perhaps; the kernel ends the worker with it
    child.join()


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
    with signals_held("SIGINT"):
        child.start()
