"""The unit of work: one session for one task, and nothing left of it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from labkit.engine import Engine, Room, User
from labkit.services import Capability, Services
from labkit.services.evidence import connections, count_rows

MakeEngine = Callable[..., Engine]
CancelEverywhere = Callable[..., Awaitable[list[bool]]]


def ada(email: str = "ada@example.org") -> User:
    return User(email=email, name="Ada")


def entries(engine: Engine) -> dict[object, AsyncSession]:
    found = {task: engine.session_of(task) for task in engine.blocks}
    return {task: session for task, session in found.items() if session is not None}


async def test_in_one_task_it_is_the_same_however_deep(engine: Engine, any_services: Services) -> None:
    async def deep(levels: int) -> AsyncSession:
        async with engine.session() as session:
            return session if not levels else await deep(levels - 1)

    async with engine.session() as session:
        assert await deep(20) is session
        assert list(entries(engine).values()) == [session]
    assert entries(engine) == {}


async def test_the_next_block_gets_a_new_one(engine: Engine, any_services: Services) -> None:
    async with engine.session() as first:
        pass
    async with engine.session() as second:
        pass
    assert first is not second


async def test_another_task_gets_its_own(engine: Engine, any_services: Services) -> None:
    barrier = asyncio.Barrier(3)

    async def take() -> AsyncSession:
        async with engine.session() as session:
            await barrier.wait()
            return session

    sessions = await asyncio.gather(take(), take(), take())
    assert len(set(map(id, sessions))) == 3
    assert entries(engine) == {}


async def test_a_child_task_gets_its_own(engine: Engine, any_services: Services) -> None:
    async def child() -> AsyncSession:
        async with engine.session() as session:
            return session

    async with engine.session() as session:
        assert await asyncio.create_task(child()) is not session
        assert list(entries(engine).values()) == [session]


async def test_the_outermost_block_commits(engine: Engine, any_services: Services) -> None:
    async with engine.session() as session:
        async with engine.session():
            session.add(ada())
        if any_services.provider != "sqlite":
            assert await asyncio.create_task(count_rows(any_services, "users")) == 0
    assert await count_rows(any_services, "users") == 1


async def test_an_exception_rolls_back_all_of_it(engine: Engine, any_services: Services) -> None:
    with pytest.raises(KeyError):  # noqa: PT012
        async with engine.session():
            await engine.save(ada())
            await engine.save(ada("bob@example.org"))
            raise KeyError
    assert await count_rows(any_services, "users") == 0
    assert entries(engine) == {}


async def test_an_exception_caught_inside_leaves_the_outer_block_to_commit(
    engine: Engine, any_services: Services
) -> None:
    async with engine.session():
        await engine.save(ada())
        with pytest.raises(KeyError):
            async with engine.session():
                raise KeyError
        await engine.save(ada("bob@example.org"))
    assert await count_rows(any_services, "users") == 2


async def test_a_commit_that_fails_leaves_nothing_behind(engine: Engine, any_services: Services) -> None:
    await engine.save(ada())
    with pytest.raises(IntegrityError):
        async with engine.session() as session:
            session.add_all([ada("bob@example.org"), ada()])
    assert await count_rows(any_services, "users") == 1
    assert entries(engine) == {}
    assert engine.statistics().checked_out == 0


async def test_an_integrity_error_of_save_can_be_caught_and_the_block_goes_on(
    engine: Engine, any_services: Services
) -> None:
    async with engine.session():
        await engine.save(ada())
        with pytest.raises(IntegrityError):
            await engine.save(ada("bob@example.org"), ada())
        await engine.save(ada("cy@example.org"))
        found = [user.email for user in await engine.find(User)]
        assert found == ["ada@example.org", "cy@example.org"]
    assert await count_rows(any_services, "users") == 2


async def test_a_block_that_asks_nothing_holds_no_connection(engine: Engine, any_services: Services) -> None:
    async with engine.session():
        assert engine.statistics().checked_out == 0


async def test_a_session_can_not_be_used_after_its_block(engine: Engine, any_services: Services) -> None:
    async with engine.session() as session:
        await session.execute(select(1))
    with pytest.raises(InvalidRequestError, match="closed"):
        await session.execute(select(1))
    assert engine.statistics().checked_out == 0


async def test_a_commit_by_the_caller_is_kept_whatever_comes_then(engine: Engine, any_services: Services) -> None:
    with pytest.raises(KeyError):  # noqa: PT012
        async with engine.session() as session:
            await engine.save(ada())
            await session.commit()
            await engine.save(ada("bob@example.org"))
            raise KeyError
    assert await count_rows(any_services, "users", email="ada@example.org") == 1
    assert await count_rows(any_services, "users") == 1


async def test_a_rollback_by_the_caller_lets_the_block_begin_again(engine: Engine, any_services: Services) -> None:
    async with engine.session() as session:
        await engine.save(ada())
        await session.rollback()
        await engine.save(ada("bob@example.org"))
    assert await count_rows(any_services, "users", email="bob@example.org") == 1
    assert await count_rows(any_services, "users") == 1


async def test_a_block_entered_in_one_task_and_left_in_another_is_forgotten_all_the_same(
    engine: Engine, any_services: Services
) -> None:
    block = engine.session()

    async def enter() -> None:
        await block.__aenter__()
        await engine.save(ada())

    async def leave() -> None:
        await block.__aexit__(None, None, None)

    await asyncio.create_task(enter())
    assert len(entries(engine)) == 1
    await asyncio.create_task(leave())
    assert entries(engine) == {}
    assert engine.statistics().sessions == ()
    assert await count_rows(any_services, "users") == 1


async def test_the_entry_is_taken_out_before_the_session_closes(
    make_engine: MakeEngine, any_services: Services
) -> None:
    seen = []

    class Watching(Engine):
        async def release(self, task: asyncio.Task[object]) -> None:
            [session] = entries(self).values()
            close = session.close

            async def closing() -> None:
                seen.append(entries(self))
                await close()

            session.close = closing  # type: ignore[method-assign]
            await super().release(task)

    async with make_engine(Watching) as engine:
        await engine.create_tables()
        await engine.save(ada())
    assert seen == [{}]


async def test_a_block_is_whole_or_nothing_wherever_it_is_cancelled(
    engine: Engine, any_services: Services, cancel_everywhere: CancelEverywhere
) -> None:
    emails = iter(f"user{i}@example.org" for i in range(1000))
    pairs = []

    async def block() -> None:
        pairs.append((next(emails), next(emails)))
        async with engine.session() as session:
            await engine.save(ada(pairs[-1][0]))
            await session.execute(text("SELECT 1"))
            await engine.get(User, email=pairs[-1][0])
            await engine.save(ada(pairs[-1][1]))

    async def check(cancelled: bool) -> None:
        found = [await count_rows(any_services, "users", email=email) for email in pairs[-1]]
        assert found in ([0, 0], [1, 1])
        assert cancelled or found == [1, 1]
        assert engine.statistics().checked_out == 0
        assert engine.statistics().sessions == ()
        assert entries(engine) == {}

    outcomes = await cancel_everywhere(block, check)
    assert len(outcomes) > 10
    assert sum(outcomes) > 10


@pytest.mark.needs(Capability.PROCESSLIST)
async def test_a_cancelled_query_leaves_no_connection_behind(engine: Engine, services: Services) -> None:
    async def sleep() -> None:
        async with engine.session() as session:
            await session.execute(text("SELECT SLEEP(2)"))

    task = asyncio.create_task(sleep())
    while not task.done() and not any("SLEEP" in (each.info or "").upper() for each in await connections(services)):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert engine.statistics().checked_out == 0
    assert entries(engine) == {}


async def test_a_task_group_that_fails_leaves_nothing_behind(engine: Engine, any_services: Services) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with engine.session():
            await engine.save(ada())
            inside.set()
            await asyncio.Event().wait()

    async def fail() -> None:
        await inside.wait()
        raise KeyError

    with pytest.raises(ExceptionGroup):  # noqa: PT012
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            group.create_task(fail())
    assert await count_rows(any_services, "users") == 0
    assert entries(engine) == {}


async def test_a_failing_registry_leaves_the_task_outside_of_any_unit(
    make_engine: MakeEngine, any_services: Services
) -> None:
    class Failing(Engine):
        def sessions(self) -> None:  # type: ignore[override]
            raise ZeroDivisionError

    async with make_engine(Failing) as engine:
        with pytest.raises(ZeroDivisionError):
            async with engine.session():
                pass
        assert engine.statistics().sessions == ()


async def test_a_registry_made_anew_at_each_access_gives_another_session_each_time(
    make_engine: MakeEngine, any_services: Services
) -> None:
    """What the story's bug rests on: the registry is asked anew at each access, and the depth is not in it."""
    asked = []

    class Asking(Engine):
        def sessions(self):  # type: ignore[no-untyped-def]
            asked.append(asyncio.current_task())
            return super().sessions()

    async with make_engine(Asking) as engine:
        await engine.create_tables()
        async with engine.session():
            async with engine.session():
                pass
            assert len(asked) == 2
        assert len(asked) == 3
        await engine.save(ada())
        assert len(asked) == 5


async def test_a_cancelled_task_that_somebody_remembers_holds_no_lock(
    engine: Engine, any_services: Services, cancel_everywhere: CancelEverywhere
) -> None:
    """On SQLite the cursor in its traceback would keep the connection, and the whole file locked."""
    remembered = []
    emails = iter(f"user{i}@example.org" for i in range(10_000))

    async def work() -> None:
        try:
            async with engine.session() as session:
                await engine.save(ada(next(emails)))
                await session.execute(select(1))
        except asyncio.CancelledError as error:
            remembered.append(error)
            raise

    async def check(cancelled: bool) -> None:
        async with asyncio.timeout(5):
            await engine.save(ada(next(emails)))

    await cancel_everywhere(work, check)
    assert remembered


async def test_a_connection_lost_just_before_the_unit_begins_is_an_error_of_sqlalchemy_and_is_not_used_again(
    engine: Engine, services: Services
) -> None:
    def lose(connection: Any, record: object, proxy: object) -> None:
        connection.driver_connection.close()

    event.listen(engine.engine.sync_engine, "checkout", lose)
    with pytest.raises(DBAPIError):
        await engine.save(ada())
    event.remove(engine.engine.sync_engine, "checkout", lose)

    assert engine.statistics().checked_out == 0
    await engine.save(ada())
    assert await count_rows(services, "users") == 1


async def test_tables_can_be_created_inside_a_block(engine: Engine, any_services: Services) -> None:
    async with engine.session():
        await engine.create_tables()


async def kill_connection_of(session: AsyncSession, engine: Engine) -> None:
    """End the connection of a session, on the server."""
    [[number]] = await session.execute(text("SELECT CONNECTION_ID()"))
    async with engine.reader.connect() as connection:
        await connection.execute(text(f"KILL {number}"))


@pytest.mark.parametrize("error", [KeyError("the block's own"), asyncio.CancelledError()])
async def test_a_rollback_that_fails_does_not_hide_why_it_was_done(
    engine: Engine, services: Services, error: BaseException
) -> None:
    with pytest.raises(type(error)) as raised:  # noqa: PT012
        async with engine.session() as session:
            await kill_connection_of(session, engine)
            raise error

    assert raised.value is error
    assert await engine.get(User, id=1) is None


@pytest.mark.providers("local", "containers")
@pytest.mark.real_servers("core", "push")
async def test_a_block_whose_transaction_the_server_has_rolled_back_commits_nothing(
    engine: Engine, services: Services
) -> None:
    """A deadlock ends the whole transaction, and not the savepoint only: what came before it is lost."""
    await engine.save(Room(name="a"), Room(name="b"))
    first, second = [await engine.get(Room, name=name) for name in "ab"]
    assert first is not None
    assert second is not None
    holds = asyncio.Event(), asyncio.Event()
    found: list[BaseException] = []

    async def work(number: int, own: Room, others: Room) -> None:
        async with engine.session() as session:
            await engine.save(User(email=f"user{number}@example.org", name="Ada"))
            await session.execute(update(Room).where(Room.id == own.id).values(name=f"{number}"))
            holds[number].set()
            await holds[1 - number].wait()
            try:
                others.name = f"of {number}"
                await engine.save(others)
            except DBAPIError as error:
                found.append(error)
            await engine.save(User(email=f"late{number}@example.org", name="Bob"))

    outcomes = await asyncio.gather(work(0, first, second), work(1, second, first), return_exceptions=True)

    [error] = found
    assert "1213" in str(error)
    [failed] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(failed, SQLAlchemyError)
    assert sorted(user.name for user in await engine.find(User)) == ["Ada", "Bob"]
