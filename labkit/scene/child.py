"""A scene in a child process, for one that may hang, fork, or end its interpreter."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from labkit.errors import InvalidInput
from labkit.scene.loop import GRACE, Scene, private_loop
from labkit.scene.outcome import Outcome
from labkit.scene.spawn import start_deaf

__all__ = ["play_in_child"]

START = 10.0  # seconds for a new interpreter to import the scene


def play_in_child(scene: Scene, args: tuple[Any, ...], pool_log: bool, timeout: float) -> Outcome:
    """Play `scene(*args)` in a child process and return its outcome; it is killed when it does not end in time."""
    _check_importable(scene, args)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_play, args=(theirs, scene, args, pool_log, timeout), name="labkit scene")
    start_deaf(child)
    theirs.close()
    try:
        if not ours.poll(START + timeout + GRACE):
            return Outcome(timed_out=True, waiting=(f"process {child.pid}: did not answer",), seconds=timeout)
        return pickle.loads(ours.recv_bytes())  # type: ignore[no-any-return]
    except EOFError:
        child.join()
        return Outcome(exception=RuntimeError(f"The scene's process ended with status {child.exitcode}."))
    finally:
        child.kill()
        child.join()
        ours.close()


def _check_importable(scene: Scene, args: tuple[Any, ...]) -> None:
    function = getattr(scene, "func", scene)
    here = sys.modules.get(function.__module__)
    if function.__module__ == "__main__" and not hasattr(here, "__file__"):
        raise InvalidInput(
            f"{function.__qualname__} can't be played in a child process, which could not import it.",
            remedy="Define it in a module, or play it in a thread.",
        )
    try:
        pickle.dumps((scene, args))
    except Exception as error:
        raise InvalidInput(
            f"{function.__qualname__} can't be sent to a child process: {error}.",
            remedy="Define it at the top of a module, and give it plain values.",
        ) from None


def _play(pipe: Connection, scene: Scene, args: tuple[Any, ...], pool_log: bool, timeout: float) -> None:
    outcome = private_loop(scene, *args, pool_log=pool_log, timeout=timeout)
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
