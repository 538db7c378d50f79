"""Opened once, on one event loop, and closed there."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from labkit.engine import Engine, Task, User, calls
from labkit.engine.calls import Calls
from labkit.errors import NotOpen, Unreachable, WrongLoop, WrongProcess
from labkit.services import Capability, Services
from labkit.services.evidence import connections, count_rows, redis_clients
from labkit.settings import Settings

MakeEngine = Callable[..., Engine]
Until = Callable[..., Awaitable[None]]


def in_another_loop(engine: Engine) -> BaseException | None:
    """Use `engine` in a thread with its own loop; return what that raised."""
    raised: list[BaseException] = []

    def use() -> None:
        try:
            asyncio.run(engine.get(User, id=1))  # type: ignore[arg-type]
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    return raised[0] if raised else None


def using(engine: Engine) -> list[Callable[[], Awaitable[object]]]:
    async def block() -> None:
        async with engine.session():
            pass

    async def subscribe() -> None:
        engine.subscribe("c")

    user = User(email="ada@example.org", name="Ada")
    return [
        lambda: engine.get(User, id=1),
        lambda: engine.find(User),
        lambda: engine.save(user),
        lambda: engine.publish("c", 1),
        engine.create_tables,
        block,
        subscribe,
    ]


async def test_an_engine_that_is_not_open_refuses_everything(
    make_engine: MakeEngine, any_services: Services
) -> None:
    engine = make_engine()
    for use in using(engine):
        with pytest.raises(NotOpen, match="not opened"):
            await use()


async def test_an_engine_that_is_closed_refuses_everything(make_engine: MakeEngine, any_services: Services) -> None:
    async with make_engine() as engine:
        pass
    for use in using(engine):
        with pytest.raises(NotOpen, match="closed"):
            await use()
    with pytest.raises(NotOpen):
        await engine.open()


async def test_opening_and_closing_twice_is_harmless(make_engine: MakeEngine, any_services: Services) -> None:
    engine = make_engine()
    assert engine.state == "not opened"
    assert await engine.open() is engine
    assert await engine.open() is engine
    assert engine.state == "open"
    await engine.close()
    await engine.close()
    assert engine.state == "closed"


async def test_closing_what_was_never_opened_is_harmless(make_engine: MakeEngine, any_services: Services) -> None:
    engine = make_engine()
    await engine.close()
    assert engine.state == "closed"


@pytest.mark.needs(Capability.PROCESSLIST, Capability.CLIENT_LIST)
async def test_close_gives_back_every_connection_by_the_servers_own_count(
    make_engine: MakeEngine, services: Services, until: Until
) -> None:
    clients = await redis_clients(services)
    async with make_engine() as engine:
        await engine.create_tables()
        await asyncio.gather(*(engine.get(User, id=i) for i in range(20)))
        async with engine.subscribe("c"):
            pass
        assert await connections(services) != []
        assert await redis_clients(services) != clients

    await until([], lambda: connections(services))
    await until(clients, lambda: redis_clients(services))


@pytest.mark.needs(Capability.PROCESSLIST, Capability.CLIENT_LIST)
async def test_close_gives_back_every_connection_wherever_it_is_cancelled(
    make_engine: MakeEngine,
    services: Services,
    cancel_everywhere: Callable[..., Awaitable[list[bool]]],
    until: Until,
) -> None:
    clients = await redis_clients(services)
    engines = []

    async def open_and_close() -> None:
        engines.append(make_engine())
        async with engines[-1] as engine:
            await engine.find(User)
            await engine.redis.client.ping()  # type: ignore[union-attr]

    async with make_engine() as engine:
        await engine.create_tables()

    async def check(cancelled: bool) -> None:
        assert engines[-1].state == "closed"
        await until([], lambda: connections(services))
        await until(clients, lambda: redis_clients(services))

    assert all(await cancel_everywhere(open_and_close, check))
    assert engines[-1].state == "closed"


@pytest.mark.needs(Capability.PROCESSLIST, Capability.ISOLATION)
async def test_close_ends_every_block_at_once_and_nothing_of_it_is_written(
    make_engine: MakeEngine, services: Services, until: Until
) -> None:
    engine = await make_engine(pool_size=3, max_overflow=0, pool_timeout=60).open()
    await engine.create_tables()
    inside = asyncio.Barrier(4)

    async def work(i: int) -> None:
        async with engine.session() as session:
            await session.execute(select(1))
            session.add(User(email=f"user{i}@example.org", name="Ada"))
            await inside.wait()
            await asyncio.Event().wait()

    async def wait_for_a_connection() -> None:
        await engine.save(User(email="late@example.org", name="Late"))

    tasks = [asyncio.create_task(work(i)) for i in range(3)]
    await inside.wait()
    tasks += [asyncio.create_task(wait_for_a_connection()) for _ in range(5)]
    while engine.statistics().waiting < 5:
        await asyncio.sleep(0)
    await engine.close()

    assert {type(task.exception()) for task in tasks if task.done()} == {NotOpen}
    assert [task.cancelling() for task in tasks if task.done()] == [0] * 8
    assert engine.statistics().checked_out == 0
    assert await count_rows(services, "users") == 0
    await until([], lambda: connections(services))


async def test_a_task_that_closes_the_engine_in_its_own_block_is_told_at_its_end(
    make_engine: MakeEngine, any_services: Services
) -> None:
    engine = await make_engine().open()
    await engine.create_tables()
    with pytest.raises(NotOpen):  # noqa: PT012
        async with engine.session():
            await engine.save(User(email="ada@example.org", name="Ada"))
            await engine.close()

    assert engine.statistics().checked_out == 0
    assert await count_rows(any_services, "users") == 0


async def test_a_cancellation_of_its_own_is_not_lost_when_the_engine_is_closed_too(
    make_engine: MakeEngine, any_services: Services
) -> None:
    engine = await make_engine().open()
    inside = asyncio.Event()

    async def work() -> None:
        async with engine.session():
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    await engine.close()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_a_commit_that_is_under_way_when_the_engine_is_closed_is_brought_to_its_end(
    make_engine: MakeEngine, any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "GRACE", 60.0)  # how long a commit takes here is a matter of the disk

    class Halting(Engine):
        async def commit(self, task: Task, session: AsyncSession) -> None:
            committing.set()
            await asyncio.sleep(0)
            await super().commit(task, session)

    committing = asyncio.Event()
    engine = await make_engine(Halting).open()
    await engine.create_tables()
    task = asyncio.create_task(engine.save(User(email="ada@example.org", name="Ada")))
    await committing.wait()
    await engine.close()

    assert await task is None
    assert await count_rows(any_services, "users") == 1


async def test_a_commit_that_is_never_answered_ends_when_the_engine_is_closed(
    make_engine: MakeEngine, any_services: Services
) -> None:
    class Frozen(Engine):
        async def commit(self, task: Task, session: AsyncSession) -> None:
            committing.set()
            session.commit = asyncio.Event().wait  # type: ignore[assignment]
            await super().commit(task, session)

    committing = asyncio.Event()
    engine = await make_engine(Frozen).open()
    await engine.create_tables()
    task = asyncio.create_task(engine.save(User(email="ada@example.org", name="Ada")))
    await committing.wait()
    await engine.close()

    with pytest.raises(NotOpen, match="not known whether the commit has happened"):
        await task
    assert engine.statistics().checked_out == 0


async def test_a_commit_that_is_not_answered_in_time_is_an_error(
    make_engine: MakeEngine, any_services: Services
) -> None:
    class Frozen(Engine):
        async def commit(self, task: Task, session: AsyncSession) -> None:
            session.commit = asyncio.Event().wait  # type: ignore[assignment]
            await super().commit(task, session)

    async with make_engine(Frozen) as engine:
        await engine.create_tables()
        engine._calls = Calls(0.01)  # the setting is a limit for every statement too, however slow this machine is
        with pytest.raises(TimeoutError, match="not known whether the commit has happened"):
            await engine.save(User(email="ada@example.org", name="Ada"))
        assert engine.statistics().checked_out == 0


async def test_another_loop_is_refused_and_both_are_named(engine: Engine, any_services: Services) -> None:
    error = in_another_loop(engine)

    assert isinstance(error, WrongLoop)
    assert len(set(re.findall(r"<\S*Loop[^>]*>", str(error)))) == 2
    assert await engine.get(User, id=1) is None


def test_a_second_asyncio_run_is_refused(any_services: Services) -> None:
    engine = Engine(Settings(database_url=any_services.database_url))
    with asyncio.Runner() as first:
        first.run(engine.open())
        with asyncio.Runner() as second:
            for refused in (engine.open, engine.close):
                with pytest.raises(WrongLoop, match="opened on <.*> and is used on <"):  # noqa: RUF043
                    second.run(refused())
        first.run(engine.close())


async def test_a_forked_child_is_refused_before_it_sends_anything(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(WrongProcess, match=r"is used in its child -1\. Open another one in the child\.") as refusal:
        await engine.get(User, email="ada@example.org")
    monkeypatch.undo()
    assert str(os.getpid()) in str(refusal.value)


async def test_tasks_that_open_an_engine_together_all_wait_until_it_is_open(
    make_engine: MakeEngine, any_services: Services
) -> None:
    engine = make_engine()
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(_open_and_use(engine))


async def _open_and_use(engine: Engine) -> None:
    await engine.open()
    assert engine.statistics().pool_size >= 1


async def test_an_engine_dropped_open_says_so(make_engine: MakeEngine, any_services: Services) -> None:
    class Dropped(Engine):
        async def check_server(self) -> None: ...

    engine = await Dropped(Settings(database_url=any_services.database_url)).open()
    with pytest.warns(ResourceWarning, match="was dropped open"):  # noqa: PT031
        del engine
        gc.collect()


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_a_database_that_does_not_answer_is_named_and_the_engine_is_closed(
    unused_tcp_port: int, driver: str
) -> None:
    engine = Engine(Settings(database_url=f"mysql+{driver}://u:secret@127.0.0.1:{unused_tcp_port}/d"))
    with pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{unused_tcp_port}/d") as caught:
        await engine.open()

    assert "secret" not in str(caught.value)
    assert engine.state == "closed"


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_a_login_that_is_refused_is_unreachable_without_the_password(services: Services, driver: str) -> None:
    url = re.sub(r"//([^:]+):[^@]*@", r"//\1:wrong-secret@", services.database_url).replace("asyncmy", driver)
    with pytest.raises(Unreachable) as caught:
        await Engine(Settings(database_url=url)).open()

    assert "wrong-secret" not in str(caught.value)


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """The port of a server that lets everybody connect and says nothing."""
    server = await asyncio.start_server(lambda reader, writer: kept.append(writer), "127.0.0.1", 0)
    kept: list[asyncio.StreamWriter] = []
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in kept:
        writer.transport.abort()


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_a_server_that_says_nothing_is_unreachable(silent_port: int, driver: str) -> None:
    url = f"mysql+{driver}://u:secret@127.0.0.1:{silent_port}/d"
    with pytest.raises(Unreachable, match=r"no login within 0\.2 s"):
        await Engine(Settings(database_url=url, connect_timeout=0.2)).open()


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_close_ends_an_opening(silent_port: int, driver: str) -> None:
    engine = Engine(Settings(database_url=f"mysql+{driver}://u:secret@127.0.0.1:{silent_port}/d"))
    opening = asyncio.create_task(engine.open())
    while engine.state != "open":
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    await engine.close()

    with pytest.raises(NotOpen):
        await opening


async def test_who_closes_too_waits_until_it_is_closed(make_engine: MakeEngine, any_services: Services) -> None:
    class Slow(Engine):
        async def dispose(self) -> None:
            await let_go.wait()
            await super().dispose()

    let_go = asyncio.Event()
    engine = await make_engine(Slow).open()
    closing = [asyncio.create_task(engine.close()) for _ in range(2)]
    done, _ = await asyncio.wait(closing, timeout=0.2)
    let_go.set()
    await asyncio.gather(*closing)

    assert done == set()


class TestCurrent:
    @pytest.fixture(autouse=True)
    def environment(self, any_services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LABKIT_DATABASE_URL", any_services.database_url)
        monkeypatch.setenv("LABKIT_REDIS_URL", any_services.redis_url)

    async def test_it_is_the_same_in_one_loop_until_it_is_closed(self) -> None:
        async with Engine.current() as engine:
            assert Engine.current() is engine
            assert await asyncio.create_task(self.current()) is engine
        assert Engine.current() is not engine

    async def test_one_that_was_closed_before_it_was_opened_is_replaced(self) -> None:
        await Engine.current().close()
        async with Engine.current():
            pass

    async def test_one_that_another_loop_could_not_close_stays(self) -> None:
        async with Engine.current() as engine:
            with pytest.raises(WrongLoop):
                await asyncio.to_thread(asyncio.run, engine.close())
            assert Engine.current() is engine

    async def current(self) -> Engine:
        return Engine.current()

    async def test_a_forked_child_gets_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with Engine.current() as engine:
            monkeypatch.setattr("os.getpid", lambda: -1)
            assert Engine.current() is not engine
            monkeypatch.undo()
            assert Engine.current() is engine

    def test_each_loop_has_its_own_and_a_closed_loop_keeps_none(self) -> None:
        first, second = asyncio.run(self.current()), asyncio.run(self.current())
        asyncio.run(self.current())

        assert first is not second
        assert len([loop for loop in Engine._current.loops() if loop.is_closed()]) <= 1

    async def test_closing_another_engine_of_the_loop_does_not_forget_it(self) -> None:
        async with Engine.current() as engine:
            async with Engine():
                pass
            assert Engine.current() is engine

    def test_without_a_loop_there_is_none(self) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            Engine.current()

    async def test_a_subclass_has_its_own(self) -> None:
        class Other(Engine):
            pass

        assert type(Other.current()) is Other
        assert Other.current() is not Engine.current()


async def test_a_session_that_is_still_held_commits_nothing_after_close(
    make_engine: MakeEngine, any_services: Services
) -> None:
    engine = await make_engine().open()
    await engine.create_tables()
    with pytest.raises(NotOpen):  # noqa: PT012
        async with engine.session() as session:
            session.add(User(email="ada@example.org", name="Ada"))
            await session.flush()
            await engine.close()
            await session.commit()

    assert await count_rows(any_services, "users") == 0
