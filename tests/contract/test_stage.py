"""The stage gives each clause people of its own, and a loop that closes."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from labkit.contract.stage import new_user, on_another_loop


class Link:
    """A thing that is garbage once nobody but itself holds it."""

    def __init__(self, ended: list[bool]) -> None:
        self.itself = self
        self.ended = ended
        self.loop = asyncio.get_running_loop()

    def __del__(self) -> None:
        self.ended.append(self.loop.is_closed())


async def where() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    return asyncio.get_running_loop(), threading.current_thread()


async def test_a_scene_on_another_loop_gives_its_result() -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    assert await on_another_loop(double, 21) == 42


async def test_a_scene_runs_in_another_loop_and_another_thread() -> None:
    own, [loop, thread] = await where(), await on_another_loop(where)

    assert loop is not own[0]
    assert thread is not own[1]


async def test_the_other_loop_is_closed_when_the_result_is_there() -> None:
    loop, _ = await on_another_loop(where)

    assert loop.is_closed()


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError, SystemExit])
async def test_what_a_scene_raises_is_raised_here(kind: type[BaseException]) -> None:
    async def fail() -> None:
        raise kind("on purpose")

    with pytest.raises(kind, match="on purpose"):
        await on_another_loop(fail)


async def test_the_other_loop_is_closed_when_its_scene_has_failed() -> None:
    loops = []

    async def fail() -> None:
        loops.append(asyncio.get_running_loop())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await on_another_loop(fail)
    assert [loop.is_closed() for loop in loops] == [True]


async def test_tasks_that_a_scene_leaves_are_cancelled_before_its_result_is_there() -> None:
    ended, left = [], []
    begun = asyncio.Event()

    async def stay() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def leave() -> None:
        left.append(asyncio.create_task(stay()))
        await begun.wait()

    await on_another_loop(leave)
    assert ended == ["cancelled"]


async def test_what_a_scene_drops_is_collected_once_its_loop_has_closed() -> None:
    ended: list[bool] = []

    async def drop() -> None:
        Link(ended)

    gc.disable()
    try:
        await on_another_loop(drop)
        assert ended == [True]
    finally:
        gc.enable()


async def test_this_loop_goes_on_while_another_one_runs() -> None:
    here = asyncio.get_running_loop()
    answered = threading.Event()

    async def ask() -> bool:
        here.call_soon_threadsafe(answered.set)
        return await asyncio.to_thread(answered.wait, 10)

    assert await on_another_loop(ask)


async def test_a_scene_that_nobody_waits_for_any_more_ends_by_itself() -> None:
    begun, go = threading.Event(), threading.Event()
    ended: list[threading.Thread] = []

    async def wait() -> None:
        begun.set()
        await asyncio.to_thread(go.wait, 0.1)
        ended.append(threading.current_thread())

    waiting = asyncio.create_task(on_another_loop(wait))
    await asyncio.to_thread(begun.wait, 10)
    waiting.cancel()
    await asyncio.wait([waiting])
    go.set()
    others = [each for each in threading.enumerate() if each.name == "another loop"]
    await asyncio.to_thread(lambda: [each.join(10) for each in others])

    assert waiting.cancelled()
    assert [thread.is_alive() for thread in ended] == [False]


def test_a_new_user_is_never_the_same() -> None:
    assert len({new_user().email for _ in range(100)}) == 100
    assert new_user() is not new_user()


def test_two_names_never_share_an_email() -> None:
    people = [new_user(name) for name in ("Ada", "Bob", "Ada", "Bob")]

    assert [person.name for person in people] == ["Ada", "Bob", "Ada", "Bob"]
    assert len({person.email for person in people}) == 4
