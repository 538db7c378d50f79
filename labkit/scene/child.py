"""A scene in a child process, for one that may hang, fork, or end its interpreter."""

from __future__ import annotations

import pickle
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from labkit.scene.loop import GRACE, Scene, private_loop
from labkit.scene.outcome import Outcome
from labkit.scene.spawn import check_importable, child_process

__all__ = ["play_in_child"]

START = 10.0  # seconds for a new interpreter to import the scene


def play_in_child(scene: Scene, args: tuple[Any, ...], pool_log: bool, timeout: float) -> Outcome:
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
