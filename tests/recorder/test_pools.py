"""What a record says of each order of a pool's events, on every driver."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool, StaticPool

from labkit.recorder import FlightRecorder
from labkit.services import Services

from .aids import LEAKY, codes, ends, fly, incidents, told

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]
ONE = text("SELECT 1")


async def select(connection: Any) -> None:
    await connection.execute(ONE)


def by(flight: FlightRecorder) -> list[str]:
    """Return which coroutine gave each checkout back, when another task did."""
    return [checkout.by.coroutine if checkout.by else "" for checkout in flight.record().checkouts]


# On every driver.


def test_a_session_left_by_its_block_is_returned_by_its_own_task(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        async with AsyncSession(engine) as session:
            await select(session)
        await engine.dispose()

    flight = fly(main)
    assert told(flight) == ["opened 1", "checkout 1", "checkin 1", "closed 1", "disposed", "loop closes"]
    [checkout] = flight.record().checkouts
    assert (checkout.end, checkout.session and checkout.session.kind) == ("returned", "session")
    assert by(flight) == [""]
    assert checkout.task.coroutine.endswith("main")
    assert codes(flight) == []


def test_a_session_closed_by_hand_is_returned_by_its_own_task(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        session = AsyncSession(engine)
        await select(session)
        await session.close()
        await engine.dispose()

    flight = fly(main)
    assert (ends(flight), by(flight), codes(flight)) == (["returned"], [""], [])


def test_a_connection_left_by_its_block_is_returned_by_its_own_task(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            await select(connection)
        await engine.dispose()

    flight = fly(main)
    assert (ends(flight), by(flight), codes(flight)) == (["returned"], [""], [])


def test_a_connection_collected_in_its_loop_was_leaked(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        connection = await engine.connect()
        await select(connection)
        del connection
        gc.collect()
        await engine.dispose()

    flight = fly(main)
    assert ends(flight) == ["collected"]
    assert told(flight)[:5] == ["opened 1", "checkout 1", "checkout collected 1", "detached 1", "collected 1"]
    assert (incidents(flight), codes(flight)) == (["collected"], ["leaked-connection"])
    assert flight.statistics().out == flight.statistics().open == 0


def test_a_connection_collected_after_its_loop_was_held_when_the_loop_closed(url: str) -> None:
    async def main() -> None:
        kept.append(await create_async_engine(url).connect())

    kept: list[AsyncConnection] = []
    with FlightRecorder() as flight:
        asyncio.run(main())
        [checkout] = flight.holders()
        assert codes(flight) == ["leaked-connection"]
        kept.clear()
        gc.collect()
    assert checkout.connection.number == 1
    assert ends(flight) == ["collected"]
    assert incidents(flight) == ["held at loop end", "collected"]
    [finding] = flight.findings()
    assert "loop #1 closed" in finding.summary
    assert "the garbage collector took it back" in finding.summary
    assert (finding.loop, finding.loop_closed, finding.connection) == (1, True, 1)


def test_a_connection_collected_in_another_thread_still_belongs_to_its_task(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        kept.append(await engine.connect())
        await asyncio.to_thread(collect)
        await engine.dispose()

    def collect() -> None:
        kept.clear()
        gc.collect()

    kept: list[AsyncConnection] = []
    flight = fly(main)
    [checkout] = flight.record().checkouts
    [incident] = flight.record().incidents
    assert (checkout.end, checkout.task.coroutine.rpartition(".")[2]) == ("collected", "main")
    assert incident.task is not None
    assert incident.task.loop is None


def test_a_second_loop_is_noticed_before_any_error(url: str) -> None:
    async def main() -> None:
        async with engine.connect() as connection:
            await select(connection)

    engine = create_async_engine(url)
    with FlightRecorder() as flight:
        asyncio.run(main())
        with contextlib.suppress(DBAPIError, RuntimeError):  # aiosqlite never notices
            asyncio.run(main())
        gc.collect()
        record = flight.record()
    crossed = next(each for each in record.incidents if each.kind.value == "crossed loops")
    assert crossed.connection is not None
    assert (crossed.connection.task.loop, crossed.task and crossed.task.loop) == (record.loops[0], record.loops[1])
    assert codes(flight) == ["pool-crossed-loops"]
    engine.sync_engine.dispose(close=False)


def test_a_pre_ping_that_fails_in_a_second_loop_is_no_secret(url: str) -> None:
    async def main() -> None:
        async with engine.connect() as connection:
            await select(connection)

    engine = create_async_engine(url, pool_pre_ping=True)
    with FlightRecorder() as flight:
        asyncio.run(main())
        with contextlib.suppress(DBAPIError, RuntimeError):
            asyncio.run(main())
    assert codes(flight) == ["pool-crossed-loops"]
    engine.sync_engine.dispose(close=False)
    gc.collect()


def test_a_null_pool_opens_a_connection_for_each_checkout_and_may_meet_many_loops(url: str) -> None:
    async def main() -> None:
        async with engine.connect() as connection:
            await select(connection)

    engine = create_async_engine(url, poolclass=NullPool)
    with FlightRecorder() as flight:
        asyncio.run(main())
        asyncio.run(main())
    once = ["opened {0}", "checkout {0}", "checkin {0}", "closed {0}", "loop closes"]
    assert told(flight) == [each.format(number) for number in (1, 2) for each in once]
    assert codes(flight) == []


def test_a_static_pool_gives_one_connection_out_several_times(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url, poolclass=StaticPool)
        one, other = await engine.connect(), await engine.connect()
        assert len(flight.holders()) == 2
        await one.close()
        await other.close()
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert told(flight)[:3] == ["opened 1", "checkout 1", "checkout 1"]
    assert (ends(flight), codes(flight)) == (["returned", "returned"], [])


def test_an_overflow_connection_is_closed_when_it_comes_back(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url, pool_size=1, max_overflow=1)
        one, other = await engine.connect(), await engine.connect()
        await one.close()
        await other.close()
        assert flight.statistics().open == 1
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert told(flight)[-6:-2] == ["checkin 1", "checkin 2", "closed 2", "closed 1"]
    assert codes(flight) == []


def test_a_recycled_slot_gets_a_new_connection_with_a_new_number(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        for _ in range(2):
            async with engine.connect() as connection:
                await select(connection)
            engine.sync_engine.pool._recycle = 0
        await engine.dispose()

    flight = fly(main)
    assert [each for each in told(flight) if "checkin" not in each] == [
        *("opened 1", "checkout 1", "closed 1", "opened 2", "checkout 2", "closed 2"),
        *("disposed", "loop closes"),
    ]
    assert codes(flight) == []


def test_a_connection_invalidated_on_purpose_is_gone_and_nothing_is_wrong(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            await select(connection)
            await connection.invalidate()
        await engine.dispose()

    flight = fly(main)
    assert told(flight)[:4] == ["opened 1", "checkout 1", "invalidated 1", "checkout invalidated 1"]
    assert (codes(flight), flight.statistics().open) == ([], 0)


def test_a_connection_invalidated_softly_is_replaced_at_its_next_checkout(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            (await connection.get_raw_connection()).invalidate(soft=True)
        async with engine.connect() as connection:
            await select(connection)
        await engine.dispose()

    flight = fly(main)
    assert told(flight)[:6] == ["opened 1", "checkout 1", "checkin 1", "closed 1", "opened 2", "checkout 2"]
    assert codes(flight) == []


def test_a_detached_connection_that_is_closed_is_returned_to_nobody(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            (await connection.get_raw_connection()).detach()
            assert len(flight.holders()) == 1
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert told(flight)[:4] == ["opened 1", "checkout 1", "detached 1", "closed 1"]
    assert (ends(flight), codes(flight), flight.statistics().out) == (["closed"], [], 0)


def test_a_detached_connection_that_is_lost_is_a_leak(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        connection = await engine.connect()
        (await connection.get_raw_connection()).detach()
        del connection
        gc.collect()
        await engine.dispose()

    flight = fly(main)
    assert (incidents(flight), codes(flight)) == (["held at loop end"], ["leaked-connection"])


def test_a_connection_that_is_out_when_its_engine_is_disposed_of_lies_in_the_old_pool(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        connection = await engine.connect()
        await select(connection)
        await engine.dispose()
        await connection.close()
        async with engine.connect() as connection:
            await select(connection)
        await engine.dispose()

    flight = fly(main)
    assert told(flight)[:4] == ["opened 1", "checkout 1", "disposed", "checkin 1"]
    assert ends(flight) == ["returned", "returned"]
    assert incidents(flight) in (["dropped"], ["idle at loop end"])  # as the old pool's garbage goes
    assert [finding.connection for finding in flight.findings()] == [1]


def test_dispose_without_close_leaves_connections_open(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            await select(connection)
        await engine.dispose(close=False)

    flight = fly(main)
    assert codes(flight) == ["engine-not-disposed"]


def test_an_engine_with_other_options_has_the_same_pool(url: str) -> None:
    async def main() -> None:
        engine = create_async_engine(url)
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await select(connection)
        async with engine.connect() as connection:
            await select(connection)
        await engine.dispose()

    flight = fly(main)
    assert flight.statistics().opened == len(flight.record().pools) == 1
    assert (len(ends(flight)), codes(flight)) == (2, [])


def test_a_statement_cancelled_inside_its_block_costs_a_connection_and_is_no_finding(url: str) -> None:
    answered = threading.Event()

    async def work(engine: AsyncEngine, running: asyncio.Event) -> None:
        async with engine.connect() as connection:
            slow = "SELECT SLEEP(20)"
            if engine.dialect.name == "sqlite":
                raw: Any = (await connection.get_raw_connection()).driver_connection
                await raw.create_function("hang", 0, answered.wait)
                slow = "SELECT hang()"
            running.set()
            await connection.execute(text(slow))

    async def main() -> None:
        engine, running = create_async_engine(url), asyncio.Event()
        task = asyncio.create_task(work(engine, running), name="worker")
        await running.wait()
        await asyncio.sleep(0)
        task.cancel()
        asyncio.get_running_loop().call_later(0.05, answered.set)
        await asyncio.wait([task])
        assert task.cancelled()
        await engine.dispose()

    flight = fly(main)
    [checkout] = flight.record().checkouts
    assert (checkout.end, checkout.task.name, checkout.task.end) == ("invalidated", "worker", "cancelled")
    assert checkout.interrupted is not None
    assert (incidents(flight), codes(flight)) == (["cancelled"], [])


def test_who_waits_in_vain_is_told_who_holds(url: str) -> None:
    async def hold(engine: AsyncEngine, held: asyncio.Event, done: asyncio.Event) -> None:
        async with engine.connect():
            held.set()
            await done.wait()

    async def main() -> None:
        engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.01)
        held, done = asyncio.Event(), asyncio.Event()
        holder = asyncio.create_task(hold(engine, held, done), name="holder")
        await held.wait()
        with pytest.raises(PoolTimeout):
            await engine.connect()
        done.set()
        await holder
        await engine.dispose()

    flight = fly(main)
    [finding] = flight.findings()
    assert finding.code == "pool-exhausted"
    assert 'connection 1: task "holder"' in finding.evidence[0]
    assert "waited" in told(flight)
    assert flight.statistics().waits == 1
    assert flight.record().counts.longest_wait >= 10_000


# Where one driver is enough.


def test_a_task_that_waits_for_what_it_holds_itself_is_told_so(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine(pool_size=1, max_overflow=0, pool_timeout=0.01)
        async with engine.connect():
            with pytest.raises(PoolTimeout):
                await engine.connect()
        await engine.dispose()

    [finding] = fly(main).findings()
    assert finding.code == "nested-checkout"
    assert [each.code for each in finding.consequences] == ["pool-exhausted"]


def test_who_waits_and_is_served_has_waited_and_nothing_is_wrong(make_engine: MakeEngine) -> None:
    async def wait(engine: AsyncEngine) -> None:
        async with engine.connect():
            pass

    async def main() -> None:
        engine = make_engine(pool_size=1, max_overflow=0)
        async with engine.connect():
            waiter = asyncio.create_task(wait(engine))
            while not flight.statistics().waits:
                await asyncio.sleep(0)
        await waiter
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert codes(flight) == []
    assert "waited" in told(flight)


def test_who_is_cancelled_while_it_waits_takes_nothing_away(make_engine: MakeEngine) -> None:
    async def wait(engine: AsyncEngine) -> None:
        async with asyncio.timeout(0.01):
            await engine.connect()

    async def main() -> None:
        engine = make_engine(pool_size=1, max_overflow=0)
        async with engine.connect():
            with pytest.raises(TimeoutError):
                await asyncio.create_task(wait(engine))
        await engine.dispose()

    flight = fly(main)
    assert codes(flight) == []
    assert flight.statistics().checkouts == 1


@pytest.mark.parametrize("options", [{"pool_size": 0}, {"max_overflow": -1}, {"poolclass": NullPool}])
def test_a_pool_without_a_limit_never_fills_up(make_engine: MakeEngine, options: dict[str, Any]) -> None:
    async def main() -> None:
        engine = make_engine(**options)
        async with engine.connect(), engine.connect(), engine.connect():
            pass
        await engine.dispose()

    flight = fly(main)
    assert (flight.statistics().waits, codes(flight)) == (0, [])


def test_an_engine_that_was_there_before_is_recorded_from_its_next_checkout(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        one, other = await engine.connect(), await engine.connect()
        await other.close()
        with FlightRecorder() as flight:
            await one.close()
            async with engine.connect() as connection:
                await select(connection)
                [holder] = flight.holders()
                assert holder.connection.pool.kind == "sqlite+aiosqlite"
        assert (flight.statistics().checkouts, ends(flight), codes(flight)) == (1, ["returned"], [])
        [pool] = flight.record().pools
        assert pool.place == 0
        await engine.dispose()

    asyncio.run(main())


def test_what_happens_after_the_end_is_not_recorded(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        with FlightRecorder() as flight:
            connection = await engine.connect()
        before = flight.to_json()
        await connection.close()
        await engine.dispose()
        del connection, engine
        gc.collect()
        assert _without_now(flight.to_json()) == _without_now(before)

    asyncio.run(main())


def _without_now(record: str) -> Any:
    return {**json.loads(record), "taken": None, "places": None, "tasks": None}


def test_an_engine_dropped_with_idle_connections_is_told_by_where_it_was_made(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        async with engine.connect():
            pass
        del engine
        gc.collect()
        assert incidents(flight) == ["dropped"]

    with FlightRecorder() as flight:
        asyncio.run(main())
    [finding] = flight.findings()
    assert finding.code == "engine-not-disposed"
    assert "when the engine was dropped" in finding.summary


def test_a_connection_lost_to_its_server_is_stale_only_at_its_first_use(make_engine: MakeEngine) -> None:
    """The server's part is played by a listener, which takes an error for the end of the connection."""

    async def main() -> None:
        engine = make_engine()
        async with engine.connect() as connection:
            await select(connection)
        event.listen(engine.sync_engine, "handle_error", _disconnected)
        for used_before in (True, False):
            async with engine.connect() as connection:
                if used_before:
                    await select(connection)
                with pytest.raises(DBAPIError):
                    await connection.execute(text("SELECT broken"))
            async with engine.connect() as connection:
                await select(connection)
        await engine.dispose()

    flight = fly(main)
    assert incidents(flight) == ["stale"]
    [finding] = flight.findings()
    assert finding.code == "stale-connection"
    assert "failed with OperationalError" in finding.summary


def _disconnected(context: Any) -> None:
    context.is_disconnect = True


def test_a_sync_engine_is_recorded_by_its_thread(tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/sync.db")
    with FlightRecorder(engine) as flight:
        with engine.connect() as connection:
            connection.execute(ONE)
            [holder] = flight.holders()
            assert holder.task.thread == threading.current_thread().name
        kept = [engine.connect()]
        kept.clear()
        gc.collect()
        engine.dispose()
    assert (ends(flight), codes(flight)) == (["returned", "returned"], [])


def test_a_thread_that_reuses_anothers_number_has_its_own_name(tmp_path: Any) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/sync.db", poolclass=NullPool)
    with FlightRecorder(engine) as flight:
        for name in ("first", "second"):
            thread = threading.Thread(target=lambda: engine.connect().close(), name=name)
            thread.start()
            thread.join()
            del thread
    assert [checkout.task.name for checkout in flight.record().checkouts] == ["first", "second"]


def test_a_detached_engine_is_recorded_no_more_even_through_known_connections(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        with FlightRecorder(engine) as flight:
            connection = await engine.connect()
            assert flight.detach(engine)
            await connection.close()
            async with engine.connect():
                assert flight.holders() == []
            assert ends(flight) == ["returned"]
        await engine.dispose()

    asyncio.run(main())


def test_an_engine_attached_through_its_options_is_the_engine(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        with FlightRecorder(engine.execution_options(isolation_level="AUTOCOMMIT")) as flight:
            gc.collect()
            async with engine.connect():
                assert len(flight.holders()) == 1
        await engine.dispose()

    asyncio.run(main())


def test_only_targets_are_recorded_and_so_are_their_sessions(tmp_path: Any) -> None:
    async def main() -> None:
        mine, other = (create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/{name}.db") for name in "ab")
        for engine in (mine, other):
            async with engine.begin() as connection:
                await connection.execute(text("CREATE TABLE t (n INTEGER)"))
        with FlightRecorder(mine) as flight:
            for engine in (mine, other):
                async with AsyncSession(engine) as session:
                    await session.execute(text("INSERT INTO t VALUES (1)"))
            assert codes(flight) == ["lost-write"]
            shared = AsyncSession(other)
            await asyncio.gather(*(shared.scalar(ONE) for _ in range(2)), return_exceptions=True)
            await shared.close()
            assert codes(flight) == ["lost-write"]
            assert len(flight.record().connections) <= 2
        await mine.dispose()
        await other.dispose()

    asyncio.run(main())


def test_a_connection_that_the_server_killed_is_stale(services: Services) -> None:
    async def main() -> None:
        engine = create_async_engine(services.database_url, pool_size=1)
        other = create_async_engine(services.database_url, poolclass=NullPool)
        async with engine.connect() as connection:
            number = (await connection.execute(text("SELECT CONNECTION_ID()"))).scalar()
        async with other.connect() as connection:
            await connection.execute(text(f"KILL {number}"))
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError):
                await connection.execute(ONE)
        await engine.dispose()

    flight = fly(main)
    assert codes(flight) == ["stale-connection"]
