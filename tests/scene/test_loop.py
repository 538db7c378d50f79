"""A private loop plays a scene, closes, and gives back all that came out."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import time
import warnings
import weakref
from typing import Any

import pytest

from labkit.errors import InvalidInput
from labkit.scene import Kind, Outcome, private_loop


async def give(value: Any = None) -> Any:
    return value


async def fail() -> None:
    raise KeyError("nobody")


def test_a_result_comes_back() -> None:
    outcome = private_loop(give, 42)

    assert outcome.get() == 42
    assert [each.kind for each in outcome.happenings] == [Kind.LOOP_CLOSED]


def test_an_exception_is_in_the_outcome_and_raised_by_get() -> None:
    outcome = private_loop(fail)

    assert [each.kind for each in outcome.happenings] == [Kind.EXCEPTION, Kind.LOOP_CLOSED]
    with pytest.raises(KeyError, match="nobody"):
        outcome.get()


def test_the_loop_is_another_one_in_another_thread_and_is_closed_afterwards() -> None:
    async def where() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
        return asyncio.get_running_loop(), threading.current_thread()

    loop, thread = private_loop(where).get()

    assert loop.is_closed()
    assert thread is not threading.current_thread()


async def test_it_plays_where_a_loop_is_running_already() -> None:
    assert private_loop(give, 1).get() == 1


def test_what_is_no_coroutine_function_is_refused() -> None:
    with pytest.raises(InvalidInput, match="A scene is an `async def` function"):
        private_loop(print)  # type: ignore[arg-type]


def test_log_warning_and_exception_stand_in_their_order() -> None:
    async def speak() -> None:
        logging.getLogger("lab").warning("first")
        warnings.warn("second", UserWarning, stacklevel=1)
        raise ValueError("third")

    told = [(each.kind, each.text, each.loop_closed) for each in private_loop(speak).happenings]

    assert told[:3] == [
        (Kind.LOG, "first", False),
        (Kind.WARNING, "second", False),
        (Kind.EXCEPTION, "third", False),
    ]


def test_the_hooks_of_the_process_are_as_they_were() -> None:
    before = sys.unraisablehook, warnings.showwarning, list(logging.getLogger().handlers), gc.isenabled()

    private_loop(fail)

    assert (sys.unraisablehook, warnings.showwarning, list(logging.getLogger().handlers), gc.isenabled()) == before


def test_a_scene_that_waits_for_ever_is_stopped_and_says_where() -> None:
    async def wait_for_nobody() -> None:
        await asyncio.Event().wait()

    outcome = private_loop(wait_for_nobody, timeout=0.05)

    assert outcome.timed_out
    assert outcome.exception is None
    assert outcome.waiting[0].endswith("in wait_for_nobody")


@pytest.mark.slow
def test_a_scene_that_blocks_its_loop_is_left_behind_after_its_time() -> None:
    ended = threading.Event()

    async def block() -> None:
        ended.wait(30)

    outcome = private_loop(block, timeout=0.05)
    ended.set()

    assert outcome.timed_out
    assert outcome.waiting == ("scene block: blocks its event loop",)


def test_the_scene_is_garbage_once_it_has_been_played() -> None:
    class Thing:
        pass

    kept: list[weakref.ref[Thing]] = []

    async def hold_and_fail() -> None:
        thing = Thing()
        kept.append(weakref.ref(thing))
        raise ValueError

    private_loop(hold_and_fail)

    assert kept[0]() is None


# The five ways to fail in silence that common notebook tools let pass, and what does not fail.


class Finalised:
    """An object that needs its loop to be ended, as a connection does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.myself = self  # a cycle: only the garbage collector ends it

    def __del__(self) -> None:
        self.loop.call_soon(print)


async def finaliser_raises() -> None:
    Finalised(asyncio.get_running_loop())


async def task_fails_unheard() -> None:
    task = asyncio.create_task(fail())
    await asyncio.wait([task])


async def coroutine_is_not_awaited() -> None:
    give()  # type: ignore[unused-coroutine]


async def socket_is_left_open() -> None:
    def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        reader, _writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await reader.read()


async def task_is_pending_at_the_end() -> None:
    loop = asyncio.new_event_loop()
    loop.create_task(give())  # noqa: RUF006  nobody waits for it
    loop.close()


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (finaliser_raises, "Event loop is closed"),
        (task_fails_unheard, "Task exception was never retrieved"),
        (coroutine_is_not_awaited, "was never awaited"),
        (socket_is_left_open, "unclosed "),
        (task_is_pending_at_the_end, "destroyed but it is pending"),
    ],
)
def test_a_silent_failure_comes_out_when_the_loop_has_closed(scene: Any, words: str) -> None:
    outcome = private_loop(scene)

    assert outcome.exception is None
    assert outcome.silent_failures
    assert any(each.says(words) for each in outcome.silent_failures), str(outcome)


async def error_is_caught() -> None:
    try:
        await fail()
    except KeyError:
        logging.getLogger("lab").warning("caught")


def test_an_error_that_was_caught_is_no_silent_failure() -> None:
    outcome = private_loop(error_is_caught)

    assert outcome.says("caught")
    assert outcome.silent_failures == ()


@pytest.mark.slow
def test_scenes_are_played_one_after_the_other() -> None:
    inside: list[int] = []
    most: list[int] = []

    async def scene() -> None:
        inside.append(1)
        most.append(len(inside))
        await asyncio.sleep(0)
        inside.pop()

    threads = [threading.Thread(target=private_loop, args=(scene,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 4


def test_seconds_tell_how_long_it_took() -> None:
    began = time.perf_counter()
    outcome = private_loop(give)

    assert 0 < outcome.seconds <= time.perf_counter() - began


def test_an_outcome_without_a_scene_is_empty() -> None:
    assert Outcome().get() is None
