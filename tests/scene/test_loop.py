"""A private loop plays a scene, closes, and gives back all that came out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import logging.config
import re
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
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
        self.myself: Finalised | None = self  # a cycle: only the garbage collector ends it

    def __del__(self) -> None:
        self.loop.call_soon(print)


async def finaliser_raises() -> None:
    Finalised(asyncio.get_running_loop())


async def finaliser_raises_at_once() -> None:
    loop = asyncio.new_event_loop()
    needs_it = Finalised(loop)
    needs_it.myself = None  # no cycle: it ends with its last name
    loop.close()
    del needs_it


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
        (finaliser_raises_at_once, "Event loop is closed"),
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


async def nothing_fails_in_silence() -> None:
    def use_a_closed_loop() -> None:
        loop = asyncio.new_event_loop()
        loop.close()
        with contextlib.suppress(RuntimeError):
            loop.call_soon(print)

    await asyncio.to_thread(use_a_closed_loop)
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    await asyncio.sleep(0)


def test_the_control_that_catches_the_same_error_passes() -> None:
    outcome = private_loop(nothing_fails_in_silence)

    assert [each.kind for each in outcome.happenings] == [Kind.WARNING, Kind.LOOP_CLOSED]
    assert outcome.silent_failures == ()


async def thread_dies() -> None:
    def die() -> None:
        raise KeyError("in a thread")

    thread = threading.Thread(target=die, name="worker")
    thread.start()
    thread.join()


def test_what_a_finaliser_raises_names_the_finaliser_and_the_error() -> None:
    [failure] = private_loop(finaliser_raises_at_once).silent_failures

    assert re.fullmatch(
        r"Exception ignored (in:|while calling deallocator) <function Finalised.__del__ at \w+>: "
        "Event loop is closed",
        failure.text,
    )


def test_a_thread_that_dies_is_a_silent_failure() -> None:
    [failure] = private_loop(thread_dies).silent_failures

    assert failure.text == "Exception in thread worker: 'in a thread'"
    assert "in die" in failure.detail


def test_a_thread_that_ends_itself_is_none() -> None:
    async def thread_ends() -> None:
        thread = threading.Thread(target=sys.exit)
        thread.start()
        thread.join()

    assert private_loop(thread_ends).silent_failures == ()


# What keeps a scene from hearing is a silent failure too, also when there was nothing to hear.


def replace_unraisablehook() -> None:
    sys.unraisablehook = lambda found: None


def replace_excepthook() -> None:
    threading.excepthook = lambda found: None


def replace_showwarning() -> None:
    warnings.showwarning = lambda *args, **kwargs: None


def ignore_all_warnings() -> None:
    warnings.simplefilter("ignore")


def ignore_one_text() -> None:
    warnings.filterwarnings("ignore", message=".* was never awaited")


def ignore_resource_warnings() -> None:
    warnings.simplefilter("ignore", ResourceWarning)


def remove_handlers() -> None:
    logging.getLogger().handlers.clear()


def configure_logging_anew() -> None:
    logging.basicConfig(force=True, handlers=[logging.NullHandler()])


def disable_logging() -> None:
    logging.disable(logging.CRITICAL)


def raise_a_level() -> None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def do_not_propagate() -> None:
    logging.getLogger("asyncio").propagate = False


def add_a_filter() -> None:
    logging.getLogger("asyncio").addFilter(lambda record: False)


def disable_loggers() -> None:
    logging.config.dictConfig({"version": 1, "incremental": False, "disable_existing_loggers": True})


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    loggers = [each for each in logging.Logger.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    root = logging.getLogger()
    before = [(each, dict(vars(each)), list(each.filters)) for each in [root, *loggers]]
    handlers = list(root.handlers)
    yield
    logging.disable(logging.NOTSET)
    for each, state, filters in before:
        vars(each).update(state, filters=filters)
    root.handlers = handlers


@pytest.mark.parametrize(
    ("silence", "words"),
    [
        (replace_unraisablehook, "sys.unraisablehook is another one"),
        (replace_excepthook, "threading.excepthook is another one"),
        (replace_showwarning, "warnings.showwarning is another one"),
        (ignore_all_warnings, "warnings are ignored"),
        (ignore_one_text, "warnings are ignored"),
        (ignore_resource_warnings, "warnings are ignored"),
        (remove_handlers, "the root logger has lost a handler"),
        (configure_logging_anew, "the root logger has lost a handler"),
        (disable_logging, "the logger asyncio is muted"),
        (raise_a_level, "the logger asyncio is muted"),
        (do_not_propagate, "the logger asyncio is muted"),
        (add_a_filter, "the logger asyncio is muted"),
        (disable_loggers, "the logger asyncio is muted"),
        (gc.freeze, "the garbage is frozen"),
    ],
)
def test_a_scene_that_stops_the_listening_does_not_pass(
    silence: Callable[[], None], words: str, logging_as_it_was: None
) -> None:
    async def silence_it() -> None:
        silence()

    outcome = private_loop(silence_it)

    assert [each.text for each in outcome.silent_failures if each.text.startswith(words)], str(outcome)
    assert outcome.silent_failures[0].text.endswith("what fails in silence could not be heard")


async def hooks_are_replaced_and_a_finaliser_raises() -> None:
    sys.unraisablehook = lambda found: None
    await finaliser_raises()


async def warnings_are_ignored_and_a_coroutine_is_forgotten() -> None:
    warnings.simplefilter("ignore")
    kept = give()
    holds: list[object] = [kept]
    holds.append(holds)  # until the garbage is collected


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (hooks_are_replaced_and_a_finaliser_raises, "Event loop is closed"),
        (warnings_are_ignored_and_a_coroutine_is_forgotten, "was never awaited"),
    ],
)
def test_what_comes_with_the_garbage_is_heard_again(scene: Any, words: str) -> None:
    first, *others = private_loop(scene).silent_failures

    assert "could not be heard" in first.text
    assert any(each.says(words) for each in others)


def quiet_deprecations() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)


def expect_another_text() -> None:
    warnings.filterwarnings("ignore", message="numpy.ndarray size changed")


def quiet_asyncio_warnings() -> None:
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def ignore_for_a_moment() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")


def hear_all() -> None:
    logging.getLogger().addHandler(logging.NullHandler())


def thaw() -> None:
    gc.collect()
    gc.unfreeze()


def say_that_it_is_old() -> None:
    warnings.warn("old", DeprecationWarning, stacklevel=1)


@pytest.mark.parametrize(
    "act",
    [
        quiet_deprecations,
        expect_another_text,
        quiet_asyncio_warnings,
        ignore_for_a_moment,
        hear_all,
        thaw,
        say_that_it_is_old,
    ],
)
def test_what_keeps_nothing_from_being_heard_costs_nothing(
    act: Callable[[], None], logging_as_it_was: None
) -> None:
    async def act_on_it() -> None:
        act()

    assert private_loop(act_on_it).silent_failures == ()


def test_an_error_that_can_not_be_said_is_an_outcome_too() -> None:
    class Unsayable(Exception):
        def __str__(self) -> str:
            raise KeyError

    async def raise_it() -> None:
        raise Unsayable

    outcome = private_loop(raise_it)
    assert isinstance(outcome.exception, Unsayable)
    assert [each.text for each in outcome.of(Kind.EXCEPTION)] == ["it can't be said, for that raises KeyError"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_of_a_scene_that_breaks_its_stage_nothing_good_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def replace_the_collector() -> None:
        monkeypatch.setattr("gc.collect", None)

    assert "broke its stage" in str(private_loop(replace_the_collector).exception)


def test_a_scene_that_was_left_behind_takes_no_hooks_away_from_the_next() -> None:
    go, ended = threading.Event(), threading.Event()

    async def block() -> None:
        go.wait(30)

    def wait_for_its_end() -> None:
        with contextlib.suppress(StopIteration):
            left = next(each for each in threading.enumerate() if each.name == "scene block")
            left.join()
        ended.set()

    async def outlive_it() -> None:
        go.set()
        await asyncio.to_thread(wait_for_its_end)
        await finaliser_raises()

    before = sys.unraisablehook, warnings.showwarning, list(logging.getLogger().handlers)
    assert private_loop(block, timeout=0.05).timed_out
    outcome = private_loop(outlive_it)

    assert ended.is_set()
    assert not any(each.says("could not be heard") for each in outcome.happenings)
    assert outcome.says("Event loop is closed")
    assert (sys.unraisablehook, warnings.showwarning, list(logging.getLogger().handlers)) == before


async def error_is_caught() -> None:
    try:
        await fail()
    except KeyError:
        logging.getLogger("lab").warning("caught")


def test_an_error_that_was_caught_is_no_silent_failure() -> None:
    outcome = private_loop(error_is_caught)

    assert outcome.says("caught")
    assert outcome.silent_failures == ()


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
