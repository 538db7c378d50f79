"""Locks, events and queues that are waited for in a second loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from labkit.recorder import FlightRecorder

from .aids import codes, fly


async def _soon(waiting: Any) -> None:
    """Wait until the loop ends the waiting."""
    task = asyncio.ensure_future(waiting)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    else:
        task.result()


async def _event(event: asyncio.Event) -> None:
    await event.wait()


async def _queue(queue: asyncio.Queue[None]) -> None:
    await queue.get()


async def _semaphore(semaphore: asyncio.Semaphore) -> None:
    await semaphore.acquire()


@pytest.mark.parametrize(
    ("make", "wait"),
    [(asyncio.Event, _event), (asyncio.Queue, _queue), (lambda: asyncio.Semaphore(0), _semaphore)],
    ids=["Event", "Queue", "Semaphore"],
)
def test_a_primitive_waited_for_in_a_second_loop_is_told(make: Callable[[], Any], wait: Any) -> None:
    primitive = make()
    with FlightRecorder() as flight:
        asyncio.run(_soon(wait(primitive)))
        with pytest.raises(RuntimeError, match="is bound to a different event loop"):
            asyncio.run(_soon(wait(primitive)))
    [finding] = flight.findings()
    assert finding.code == "primitive-crossed-loops"
    assert f"had to wait for an asyncio.{type(primitive).__name__} at test_primitives.py:" in finding.summary
    assert finding.loop == 2


def test_a_primitive_that_nobody_had_to_wait_for_belongs_to_no_loop() -> None:
    lock = asyncio.Lock()

    async def main() -> None:
        async with lock:
            pass

    with FlightRecorder() as flight:
        asyncio.run(main())
        asyncio.run(main())
    assert codes(flight) == []


def test_a_librarys_own_lock_is_not_the_users() -> None:
    event = asyncio.Event()
    space: dict[str, Any] = {}
    exec(compile("async def wait(event): await event.wait()", "/srv/site-packages/library.py", "exec"), space)
    with FlightRecorder() as flight:
        asyncio.run(_soon(space["wait"](event)))
        with pytest.raises(RuntimeError):
            asyncio.run(_soon(space["wait"](event)))
    assert codes(flight) == []


@pytest.mark.parametrize("name", [None, "asynciogram"])
def test_a_module_may_have_any_name(name: str | None) -> None:
    event = asyncio.Event()
    space: dict[str, Any] = {"__name__": name}
    exec(compile("async def wait(event): await event.wait()", "/srv/app/app.py", "exec"), space)
    with FlightRecorder() as flight:
        asyncio.run(_soon(space["wait"](event)))
        with pytest.raises(RuntimeError, match="is bound to a different event loop"):
            asyncio.run(_soon(space["wait"](event)))
    assert (codes(flight), flight.record().faults) == (["primitive-crossed-loops"], [])


def test_a_loop_of_its_own_for_each_primitive_is_right() -> None:
    async def main() -> None:
        await _soon(_event(asyncio.Event()))

    assert codes(fly(main)) == []
