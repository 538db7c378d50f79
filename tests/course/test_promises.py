"""What the tests of exercises ask for says what was expected and what it got, and lets nothing fail in silence."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from labkit import Engine
from labkit.bugs import RegistryRebuilt
from labkit.course.promises import NotHere, TimedOut, keeps, play
from labkit.errors import InvalidInput
from labkit.services import Services

pytestmark = pytest.mark.providers("embedded")

KEPT = "inside_one_task_it_is_always_the_same_session", "what_a_block_writes_is_on_the_server_after_it"


async def give(value: Any = None) -> Any:
    return value


async def fail() -> None:
    raise KeyError("nobody")


def test_a_scene_gives_its_result_or_its_exception() -> None:
    assert play(give, 42).get() == 42
    with pytest.raises(KeyError, match="nobody"):
        play(fail).get()


def test_what_is_no_scene_is_refused() -> None:
    with pytest.raises(InvalidInput, match="A scene is an `async def` function"):
        play(print)  # type: ignore[arg-type]


def test_a_scene_that_fails_in_silence_is_a_broken_promise() -> None:
    async def forget() -> None:
        give()

    with pytest.raises(AssertionError, match="expected: nothing fails in silence; got: coroutine 'give' was never"):
        play(forget)


def test_a_scene_without_an_end_is_timed_out_with_where_it_waits() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimedOut, match=r"no end within 0.05 s; .*test_promises.py:\d+ in wait"):
        play(wait, timeout=0.05)


def test_a_scene_that_handles_what_its_loop_complains_of_could_not_be_heard() -> None:
    async def hush() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *about: None)
        task = asyncio.create_task(fail())
        await asyncio.wait([task])

    with pytest.raises(AssertionError, match="the loop's exception handler is another one"):
        play(hush)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_scene_that_breaks_its_stage_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    async def replace_the_collector() -> None:
        monkeypatch.setattr("gc.collect", None)

    with pytest.raises(AssertionError, match="expected: a scene that comes to its end"):
        play(replace_the_collector)


def test_a_correct_engine_keeps_its_promises(clean_services: Services) -> None:
    keeps(Engine, clean_services, *KEPT)


def test_a_broken_engine_breaks_one_in_words(clean_services: Services) -> None:
    with pytest.raises(AssertionError, match=r"expected: .*; got: "):
        keeps(RegistryRebuilt, clean_services, *KEPT)


def test_a_promise_that_can_not_be_tried_here_is_no_broken_one(services: Services) -> None:
    from labkit.contract import clauses

    demanding = next(each for each in clauses() if each.needs)
    poor = replace(services, capabilities=frozenset())

    with pytest.raises(NotHere, match=f"“{demanding.name}” needs"):
        keeps(Engine, poor, demanding.name)
