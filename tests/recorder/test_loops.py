"""The end of a loop is the moment in which nobody can give anything back any more."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from labkit.recorder import FlightRecorder
from labkit.recorder.hooks import loops

from .aids import LEAKY, codes, fly, incidents, told

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]
ONE = text("SELECT 1")


async def hold(engine: AsyncEngine, held: asyncio.Event) -> None:
    async with engine.connect() as connection:
        await connection.execute(ONE)
        held.set()
        await asyncio.Event().wait()


def by_hand(main: Any) -> None:
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


def by_runner(main: Any) -> None:
    with asyncio.Runner() as runner:
        runner.run(main)


def in_debug_mode(main: Any) -> None:
    asyncio.run(main, debug=True)


RUNS = [asyncio.run, by_runner, by_hand, in_debug_mode]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.__name__)
def test_every_way_to_run_a_loop_ends_it_once(make_engine: MakeEngine, run: Callable[[Any], None]) -> None:
    async def main() -> None:
        kept.append(await make_engine().connect())

    kept: list[AsyncConnection] = []
    with FlightRecorder() as flight:
        run(main())
        assert told(flight).count("loop closes") == 1
        assert incidents(flight) == ["held at loop end"]
        kept.clear()
        gc.collect()
    assert codes(flight) == ["leaked-connection"]


def test_a_loop_closed_twice_ends_once() -> None:
    with FlightRecorder() as flight:
        loop = asyncio.new_event_loop()
        loop.close()
        loop.close()
    assert told(flight) == ["loop closes"]


def test_a_loop_that_can_not_be_closed_goes_on() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="Cannot close a running event loop"):
            asyncio.get_running_loop().close()
        assert told(flight) == []

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert told(flight) == ["loop closes"]


@pytest.mark.parametrize("run", [asyncio.run, by_hand], ids=lambda run: run.__name__)
def test_a_task_that_nobody_waited_for_is_lost_with_its_loop(make_engine: MakeEngine, run: Any) -> None:
    async def main() -> None:
        engine, held = make_engine(), asyncio.Event()
        kept.append(asyncio.create_task(hold(engine, held), name="forgotten"))
        await held.wait()

    kept: list[Any] = []
    with FlightRecorder() as flight:
        run(main())
        assert incidents(flight)[0] == "lost task"
        kept.clear()
        gc.collect()
    finding = flight.findings()[0]
    assert finding.code == "lost-task"
    assert 'task "forgotten" held connection 1' in finding.summary
    assert "and it was dropped at test_loops.py:" in finding.summary


def test_a_task_that_holds_nothing_may_be_left_to_its_loop(make_engine: MakeEngine) -> None:
    async def main() -> None:
        kept.append(asyncio.create_task(asyncio.Event().wait()))
        await asyncio.sleep(0)

    kept: list[Any] = []
    assert codes(fly(main)) == []


def test_a_task_collected_before_its_end_is_lost(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine, held = make_engine(), asyncio.Event()
        task = asyncio.create_task(hold(engine, held))
        await held.wait()
        context = {"message": "Task was destroyed but it is pending!", "task": task}
        asyncio.get_running_loop().call_exception_handler(context)
        task.cancel()
        await asyncio.wait([task])
        await engine.dispose()

    assert "lost task" in incidents(fly(main))


@pytest.mark.parametrize("context", [{}, {"message": None}, {"message": "", "task": None}, {"message": 7}])
def test_other_complaints_of_a_loop_are_passed_on(context: dict[str, Any]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: heard.append(context))
        loop.call_exception_handler(context)

    heard: list[Any] = []
    assert fly(main).record().faults == []
    assert heard == [context]


async def rows(engine: AsyncEngine) -> Any:
    async with AsyncSession(engine) as session:
        await session.execute(ONE)
        yield 1
        yield 2


def test_a_generator_left_in_the_middle_is_told_at_its_yield(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        async for _ in rows(engine):
            break
        gc.collect()
        while engine.sync_engine.pool.checkedout():  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        await engine.dispose()

    [finding] = fly(main).findings()
    assert finding.code == "abandoned-generator"
    assert "the async generator `rows` was left suspended at test_loops.py:" in finding.summary
    assert finding.connection == 1


def test_a_generator_that_outlives_its_loop_is_told_too(make_engine: MakeEngine) -> None:
    async def main() -> None:
        generator = rows(make_engine())
        await anext(generator)
        kept.append(generator)

    kept: list[Any] = []
    assert "abandoned-generator" in codes(fly(main))


@pytest.mark.parametrize("closed", ["to its end", "aclosing", "before it began"])
def test_a_generator_that_is_closed_is_no_fault(make_engine: MakeEngine, closed: str) -> None:
    async def main() -> None:
        engine = make_engine()
        if closed == "to its end":
            assert [row async for row in rows(engine)] == [1, 2]
        elif closed == "aclosing":
            async with contextlib.aclosing(rows(engine)) as generator:
                await anext(generator)
        else:
            rows(engine)
        gc.collect()
        await engine.dispose()

    assert codes(fly(main)) == []


def test_a_generator_that_holds_a_closed_session_holds_nothing(make_engine: MakeEngine) -> None:
    async def lines(engine: AsyncEngine) -> Any:
        session = AsyncSession(engine)
        connection = engine.connect()  # never begun
        await session.execute(ONE)
        await session.close()
        yield connection

    async def main() -> None:
        engine = make_engine()
        await anext(lines(engine))
        gc.collect()
        await asyncio.sleep(0)
        await engine.dispose()

    assert codes(fly(main)) == []


def test_a_time_out_that_takes_nothing_away_is_no_fault(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(60)
        async with engine.connect() as connection:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await asyncio.Event().wait()
            await connection.execute(ONE)
        await engine.dispose()

    flight = fly(main)
    assert codes(flight) == []


def test_loops_of_several_threads_are_told_apart(make_engine: MakeEngine) -> None:
    both = threading.Barrier(2)

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(asyncio.run, use()) for _ in range(2)))

    async def use() -> None:
        # Neither ends before both have begun: an executor would give the free thread the second loop.
        both.wait(timeout=30)
        engine = make_engine()
        async with engine.connect():
            pass
        await engine.dispose()

    flight = fly(main)
    seen = flight.record().loops
    assert len({loop.thread for loop in seen if loop.thread != "MainThread"}) == 2
    assert all(loop.closed is not None for loop in seen)
    assert codes(flight) == []


def test_a_loop_of_another_make_is_heard_too() -> None:
    """As uvloop's is: nothing in common with asyncio's own but the interface."""

    class Loop:
        closed = False

        def is_closed(self) -> bool:
            return self.closed

        def is_running(self) -> bool:
            return False

        def close(self) -> None:
            self.closed = True

    original = Loop.close
    with FlightRecorder() as flight:
        loops.watch(Loop)
        loops.watch(Loop)
        Loop().close()
    assert told(flight) == ["loop closes"]
    assert Loop.close is original
