"""What a session's operations say: who is inside, what it wrote, what made it, and how it ended."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from sqlalchemy import ForeignKey, delete, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from labkit.recorder import FlightRecorder

from .aids import LEAKY, Base, Entry, codes, fly, incidents

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]
ONE = text("SELECT 1")


class Reply(Base):
    __tablename__ = "recorder_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey(Entry.id))
    entry: Mapped[Entry] = relationship()


Program = Callable[[AsyncEngine], Coroutine[Any, Any, object]]


@pytest.fixture
def record_of(make_engine: MakeEngine) -> Callable[..., FlightRecorder]:
    """Return a function that records a program on an engine of its own, which has tables and is disposed of."""

    def record(program: Program, **options: Any) -> FlightRecorder:
        async def main() -> None:
            engine = make_engine(**options)
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            await program(engine)
            gc.collect()
            await engine.dispose()

        return fly(main)

    return record


Recorded = Callable[..., FlightRecorder]


# Writes.

WRITES = [
    insert(Entry).values(id=1, text="x"),
    update(Entry).values(text="y"),
    delete(Entry),
    text("INSERT INTO recorder_notes VALUES (1, 'x')"),
    text("  update recorder_notes SET text = 'y'"),
    text("DELETE FROM recorder_notes"),
    text("REPLACE INTO recorder_notes VALUES (1, 'x')"),
]


@pytest.mark.parametrize("statement", WRITES, ids=lambda each: " ".join(str(each).split()[:2]))
def test_a_write_without_a_commit_is_lost(record_of: Recorded, statement: Any) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(statement)

    [finding] = record_of(program).findings()
    assert finding.code == "lost-write"
    assert "was left by its `async with` without a commit" in finding.summary
    assert finding.where is not None
    assert finding.where.function.endswith("program")


async def commit(session: AsyncSession) -> None:
    await session.commit()


async def roll_back(session: AsyncSession) -> None:
    await session.rollback()


async def fail(session: AsyncSession) -> None:
    raise KeyError("the block fails")


@pytest.mark.parametrize("how", [commit, roll_back, fail])
def test_a_write_that_was_settled_on_purpose_is_not_lost(record_of: Recorded, how: Any) -> None:
    async def program(engine: AsyncEngine) -> None:
        try:
            async with AsyncSession(engine) as session:
                session.add(Entry(id=1, text="x"))
                await session.flush()
                await how(session)
        except KeyError:
            pass

    assert codes(record_of(program)) == []


def test_a_session_that_only_reads_has_nothing_to_lose(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(select(Entry))
            await session.execute(text("SELECT 'delete '"))
            await session.scalars(text(""" SELECT "insert" """))

    assert codes(record_of(program)) == []


def test_a_session_closed_by_hand_loses_what_it_wrote_unless_an_error_closed_it(record_of: Recorded) -> None:
    async def write(engine: AsyncEngine) -> AsyncSession:
        session = AsyncSession(engine)
        await session.execute(insert(Entry).values(text="x"))
        return session

    async def closed(engine: AsyncEngine) -> None:
        await (await write(engine)).close()

    async def failed(engine: AsyncEngine) -> None:
        session = await write(engine)
        try:
            raise KeyError
        except KeyError:
            await session.close()

    flight = record_of(closed)
    assert codes(flight) == ["lost-write"]
    assert "and was closed without a commit" in flight.findings()[0].summary
    assert codes(record_of(failed)) == []


def test_a_session_that_is_dropped_loses_its_connection_and_its_write_in_one_finding(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        session = AsyncSession(engine)
        session.add(Entry(id=1, text="x"))
        await session.flush()

    findings = record_of(program).findings()
    assert sorted(finding.code for finding in findings) == ["leaked-connection", "lost-write"]
    lost = next(finding for finding in findings if finding.code == "lost-write")
    assert "was dropped without a commit" in lost.summary


def test_a_savepoint_that_is_released_settles_nothing(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session, session.begin_nested():
            session.add(Entry(id=1, text="x"))

    assert codes(record_of(program)) == ["lost-write"]


def test_what_an_autocommitting_connection_wrote_is_kept(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine.execution_options(isolation_level="AUTOCOMMIT")) as session:
            await session.execute(insert(Entry).values(text="x"))

    assert codes(record_of(program)) == []


def test_an_engine_that_autocommits_keeps_everything(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(insert(Entry).values(text="x"))

    assert codes(record_of(program, isolation_level="AUTOCOMMIT")) == []


# Sharing.


def test_two_tasks_inside_one_session_are_both_named(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(ONE)
            one = asyncio.create_task(ask(session), name="one")
            other = asyncio.create_task(ask(session), name="other")
            await asyncio.wait([one, other])

    async def ask(session: AsyncSession) -> None:
        await session.scalar(ONE)

    [finding] = record_of(program).findings()
    assert finding.code == "session-shared"
    assert 'same time: task "one" in `scalar` at test_sessions.py' in finding.summary
    assert 'and task "other" in `scalar` at test_sessions.py' in finding.summary


def test_two_tasks_on_one_connection_share_it_too(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            await asyncio.gather(*(connection.execute(ONE) for _ in range(2)), return_exceptions=True)

    flight = record_of(program)
    assert codes(flight) == ["session-shared"]
    assert "two tasks were inside one connection" in flight.findings()[0].summary


def test_tasks_that_use_a_session_one_after_the_other_share_nothing(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        lock = asyncio.Lock()

        async def turn(session: AsyncSession) -> None:
            async with lock:
                await session.execute(ONE)

        async with AsyncSession(engine) as session:
            await asyncio.gather(*(turn(session) for _ in range(3)))

    assert codes(record_of(program)) == []


def test_run_sync_is_one_operation_and_not_two(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.run_sync(lambda sync: (sync.execute(ONE), sync.execute(ONE)))

    flight = record_of(program)
    assert codes(flight) == []
    assert flight.record().checkouts[-1].session is not None


# Where sessions come from.


def test_a_factory_built_for_each_session_is_no_fault_by_itself(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        for _ in range(3):
            async with async_sessionmaker(engine)() as session:
                await session.execute(ONE)

    flight = record_of(program)
    assert codes(flight) == []
    assert [session.factory and session.factory.built for session in flight.record().sessions][-3:] == [3, 3, 3]


def test_sessions_that_go_wrong_come_from_what_is_built_again_and_again(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        def registry() -> Any:
            return async_scoped_session(async_sessionmaker(engine), asyncio.current_task)

        for _ in range(3):
            await registry().execute(ONE)
        gc.collect()

    [finding] = record_of(program).findings()
    assert finding.code == "registry-rebuilt"
    assert finding.times == 3
    assert {each.code for each in finding.consequences} == {"leaked-connection"}


def test_a_session_of_a_registry_knows_where_it_was_asked_for(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        registry = async_scoped_session(async_sessionmaker(engine), asyncio.current_task)
        await registry.execute(ONE)
        await registry.remove()

    record = record_of(program).record()
    session = record.sessions[-1]
    where = record.where(session.place)
    assert session.registry is not None
    assert where is not None
    assert where.function.endswith("program")


def test_a_session_left_in_its_scope_by_a_task_that_ended_is_a_mismatch(record_of: Recorded) -> None:
    kept = []

    async def program(engine: AsyncEngine) -> None:
        registry = async_scoped_session(async_sessionmaker(engine), asyncio.current_task)
        kept.append(registry)
        await asyncio.gather(*(asyncio.create_task(registry.execute(ONE)) for _ in range(2)))

    flight = record_of(program)
    assert "scope-mismatch" in codes(flight)
    assert incidents(flight).count("left in scope") == 2
    kept.clear()
    gc.collect()


def test_a_scope_named_by_hand_belongs_to_the_task_that_began_it(record_of: Recorded) -> None:
    kept = []

    async def program(engine: AsyncEngine) -> None:
        registry = async_scoped_session(async_sessionmaker(engine), lambda: asyncio.current_task().get_name())  # type: ignore[union-attr]
        kept.append(registry)
        await asyncio.create_task(registry.execute(ONE), name="ended")
        await registry.execute(ONE)
        await registry.remove()

    assert codes(record_of(program)) == ["scope-mismatch"]
    kept.clear()
    gc.collect()


def test_a_registry_that_gives_a_session_to_another_task_is_a_mismatch(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        registry = async_scoped_session(async_sessionmaker(engine), lambda: "one for all")
        await asyncio.create_task(registry.execute(ONE), name="first")
        await asyncio.create_task(registry.execute(ONE), name="second")
        await registry.remove()

    flight = record_of(program)
    assert "reused scope" in incidents(flight)
    assert "scope-mismatch" in codes(flight)
    assert "gave its session to another task" in flight.findings()[0].summary


# Reading what was not loaded.


def test_reading_what_was_not_loaded_is_told_at_the_line_that_reads(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            session.add(Reply(id=1, entry=Entry(id=1, text="x")))
            await session.commit()
            [reply] = (await session.scalars(select(Reply))).all()
            with pytest.raises(SQLAlchemyError, match="greenlet_spawn has not been called"):
                assert reply.entry

    [finding] = record_of(program).findings()
    assert finding.code == "implicit-io"
    assert finding.where is not None
    assert finding.where.function.endswith("program")


def test_a_method_outside_its_greenlet_is_something_else(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            with pytest.raises(SQLAlchemyError, match="greenlet_spawn has not been called"):
                session.sync_session.execute(ONE)

    assert codes(record_of(program)) == []


# Cancellation.


async def cancelled(engine: AsyncEngine, *, in_a_statement: bool) -> None:
    """Cancel a task that never closes its session."""
    at_it = asyncio.Event()

    async def work() -> None:
        session = AsyncSession(engine)
        if not in_a_statement:
            await session.execute(ONE)
        at_it.set()
        await (session.execute(ONE) if in_a_statement else asyncio.Event().wait())

    task = asyncio.create_task(work(), name="worker")
    await at_it.wait()
    while not engine.sync_engine.pool.checkedout():  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    del task
    gc.collect()


def test_a_session_cancelled_and_never_closed_is_told_as_cancelled(record_of: Recorded) -> None:
    flight = record_of(lambda engine: cancelled(engine, in_a_statement=False))
    assert codes(flight) == ["cancelled-while-holding"]
    assert "was cancelled or timed out, and never returned it" in flight.findings()[0].summary


def test_a_statement_cancelled_in_a_session_that_nobody_closes_is_told_too(record_of: Recorded) -> None:
    flight = record_of(lambda engine: cancelled(engine, in_a_statement=True))
    assert codes(flight) == ["cancelled-while-holding"]
    assert "its statement was cancelled, and nothing closed the session after it" in flight.findings()[0].summary


def test_a_time_out_while_holding_is_a_cancellation(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        async def work() -> None:
            connection = await engine.connect()
            await connection.execute(ONE)
            await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await work()
        gc.collect()

    assert codes(record_of(program)) == ["cancelled-while-holding"]


def test_a_connection_object_has_a_note_of_its_own(record_of: Recorded) -> None:
    async def program(engine: AsyncEngine) -> None:
        connection: AsyncConnection
        async with engine.connect() as connection, connection.begin():
            await connection.execute(insert(Entry).values(text="x"))

    flight = record_of(program)
    assert codes(flight) == []
