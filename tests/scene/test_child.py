"""A scene in a child process: it may hang or end its interpreter, and the parent goes on."""

from __future__ import annotations

import os
import time

import pytest

from labkit.errors import InvalidInput
from labkit.scene import Kind, private_loop


async def where() -> int:
    return os.getpid()


async def fail() -> None:
    raise KeyError("nobody")


async def forget() -> None:
    where()  # type: ignore[unused-coroutine]


async def end_the_process() -> None:
    os._exit(3)


async def hang() -> None:
    time.sleep(600)


async def unpicklable() -> object:
    return where()


def test_it_is_another_process() -> None:
    assert private_loop(where, process=True).get() not in (os.getpid(), None)


@pytest.mark.learner_path
def test_everything_comes_back_as_from_a_thread() -> None:
    outcome = private_loop(fail, process=True)

    assert [each.kind for each in outcome.happenings] == [Kind.EXCEPTION, Kind.LOOP_CLOSED]
    with pytest.raises(KeyError, match="nobody"):
        outcome.get()


def test_silent_failures_come_back_too() -> None:
    assert private_loop(forget, process=True).says("was never awaited")


@pytest.mark.learner_path
def test_a_process_that_ends_is_told() -> None:
    outcome = private_loop(end_the_process, process=True)

    with pytest.raises(RuntimeError, match="ended with status 3"):
        outcome.get()


@pytest.mark.learner_path
def test_a_hanging_scene_is_killed() -> None:
    outcome = private_loop(hang, process=True, timeout=0.1)

    assert outcome.timed_out


def test_a_scene_that_cannot_be_imported_is_refused() -> None:
    async def local() -> None: ...

    with pytest.raises(InvalidInput, match="can't be sent to a child process"):
        private_loop(local, process=True)
