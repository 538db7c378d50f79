"""Playing a scene: in a thread of this process, or in a child process if it may hang, fork or end Python."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from labkit.errors import InvalidInput
from labkit.process import check_importable, child_process
from labkit.scene.loop import GRACE, Scene, play_here
from labkit.scene.outcome import Outcome

__all__ = ["private_loop"]

START = 10.0  # seconds for a new interpreter to import the scene


def private_loop(
    scene: Scene, *args: Any, process: bool = False, pool_log: bool = False, timeout: float = 60.0
) -> Outcome:
    """
    Play `scene(*args)` on its own event loop, in a thread, and return all that came out.

    When the scene ends its loop is closed and the garbage is collected: what it left open fails now, in view, and
    not later, under another scene's name. The kernel's loop in a notebook never closes and is not touched. With
    `process` the scene is played in a child process, which can be killed when it hangs; it must then be a function
    that can be imported. With `pool_log` every checkout and checkin is kept. After `timeout` seconds the scene is
    stopped and the outcome says where its tasks were waiting. An exception of the scene is in the outcome, never
    raised. Raises `InvalidInput` for what is no coroutine function, or can't be played in a child process.
    """
    if not inspect.iscoroutinefunction(getattr(scene, "func", scene)):
        raise InvalidInput(f"A scene is an `async def` function, got {scene!r}.", remedy="Give its name.")
    play = _play_in_child if process else play_here
    return play(scene, args, pool_log, timeout)


def _play_in_child(scene: Scene, args: tuple[Any, ...], pool_log: bool, timeout: float) -> Outcome:
    """Play `scene(*args)` in a child process and return its outcome; it is killed when it does not end in time."""
    check_importable(getattr(scene, "func", scene).__qualname__, scene, args)
    with child_process(_play, scene, args, pool_log, timeout, name="labkit scene") as (child, pipe):
        if not pipe.poll(START + timeout + GRACE):
            return Outcome(timed_out=True, waiting=(f"process {child.pid}: did not answer",), seconds=timeout)
        try:
            return pickle.loads(pipe.recv_bytes())  # type: ignore[no-any-return]
        except EOFError:
            child.join()
            return Outcome(exception=RuntimeError(f"The scene's process ended with status {child.exitcode}."))


def _play(pipe: Connection, scene: Scene, args: tuple[Any, ...], pool_log: bool, timeout: float) -> None:
    outcome = play_here(scene, args, pool_log, timeout)
    pipe.send_bytes(_packed(outcome))
    pipe.close()


def _packed(outcome: Outcome) -> bytes:
    try:
        packed = pickle.dumps(outcome)
        pickle.loads(packed)
    except Exception:  # a result or an exception that can't travel goes as text
        error = outcome.exception
        told = RuntimeError(f"{type(error).__name__}: {error}") if error is not None else None
        packed = pickle.dumps(replace(outcome, result=repr(outcome.result), exception=told))
    return packed
