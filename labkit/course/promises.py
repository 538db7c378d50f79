"""What the tests of exercises ask for: promises of the contract, and scenes in which nothing fails in silence."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from functools import wraps
from typing import Any

from labkit.contract import Result, check, find_clause
from labkit.contract.clause import expect
from labkit.engine import Engine
from labkit.scene import Outcome, private_loop
from labkit.scene.loop import Scene
from labkit.services import Services

__all__ = ["NotHere", "TimedOut", "expect", "keeps", "play"]


class TimedOut(AssertionError):
    """A scene did not come to its end: that is another thing than a wrong one."""


class NotHere(AssertionError):
    """A promise can't be tried on these services: that is no fault of the code."""


def keeps(engine_class: type[Engine], services: Services, *promises: str) -> None:
    """
    Check that an engine keeps these promises of the contract, and that the flight recorder finds nothing.

    Raises `AssertionError`, with what was expected and what it got, `TimedOut` or `NotHere`.
    """
    for promise in promises:
        verdict = check(find_clause(promise), engine_class, services)
        if verdict.result is Result.TIMED_OUT:
            raise TimedOut(verdict.text)
        if verdict.result is Result.NOT_RUN:
            raise NotHere(f"“{promise}” {verdict.text}")
        if verdict.result is not Result.KEPT:
            raise AssertionError(verdict.text)
        expect("no finding of the flight recorder", found=verdict.findings, to_be=())


def play(scene: Scene, *args: Any, timeout: float = 10.0) -> Outcome:
    """
    Play a scene on its own loop; return its outcome, which may hold an exception.

    Raises `TimedOut`, with where each task waits, and `AssertionError` when anything fails in silence.
    """
    played = _listened(scene) if inspect.iscoroutinefunction(scene) else scene
    outcome = private_loop(played, *args, timeout=timeout)
    if outcome.timed_out:
        raise TimedOut(f"no end within {timeout:g} s; {'; '.join(outcome.waiting)}")
    if not outcome.happenings:  # not even the end of the loop: the scene has broken what should have told of it
        raise AssertionError("expected: a scene that comes to its end; got: it broke its stage")
    if outcome.silent_failures:
        raise AssertionError(f"expected: nothing fails in silence; got: {outcome.silent_failures[0].headline}")
    return outcome


def _listened(scene: Scene) -> Scene:
    """Return the scene with its loop's exception handler put back at its end, and a complaint if there was one."""

    @wraps(scene)
    async def played(*args: Any) -> Any:
        try:
            return await scene(*args)
        finally:
            loop = asyncio.get_running_loop()
            if loop.get_exception_handler() is not None:
                loop.set_exception_handler(None)
                words = "the loop's exception handler is another one: what fails in silence could not be heard"
                warnings.warn(words, stacklevel=1)

    return played
