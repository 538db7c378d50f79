"""Work that must not be left half done."""

from __future__ import annotations

import asyncio

import pytest

from labkit.engine.completion import run_to_completion


class Work:
    """Work that waits until it is let go."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.done = False

    async def run(self) -> str:
        self.begun.set()
        await self.let_go.wait()
        self.done = True
        if self.error:
            raise self.error
        return "result"


async def test_its_result_is_returned() -> None:
    work = Work()
    work.let_go.set()

    assert await run_to_completion(work.run()) == "result"


async def test_its_exception_is_raised() -> None:
    work = Work(KeyError("k"))
    work.let_go.set()

    with pytest.raises(KeyError):
        await run_to_completion(work.run())


async def test_a_cancellation_waits_until_it_is_done() -> None:
    work = Work()
    caller = asyncio.create_task(run_to_completion(work.run()))
    await work.begun.wait()
    for _ in range(3):
        caller.cancel()
        await asyncio.sleep(0)
        assert not caller.done()
    work.let_go.set()
    await asyncio.wait([caller])

    assert caller.cancelled()
    assert work.done


async def test_a_cancellation_keeps_the_exception_as_its_cause() -> None:
    work = Work(KeyError("k"))
    caller = asyncio.create_task(run_to_completion(work.run()))
    await work.begun.wait()
    caller.cancel()
    await asyncio.sleep(0)
    work.let_go.set()

    with pytest.raises(asyncio.CancelledError) as caught:
        await caller
    assert isinstance(caught.value.__cause__, KeyError)


async def test_a_timeout_waits_too_and_still_comes_out() -> None:
    work = Work()

    async def let_go_after_the_timeout() -> None:
        await work.begun.wait()
        while not caller_timed_out.expired():
            await asyncio.sleep(0)
        work.let_go.set()

    helper = asyncio.create_task(let_go_after_the_timeout())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01) as caller_timed_out:
            await run_to_completion(work.run())

    assert work.done
    await helper
