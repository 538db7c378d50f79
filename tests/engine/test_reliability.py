"""Under load, under cancellation, and while a server is away: nothing leaks, nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from labkit.engine import Engine, User
from labkit.services import Capability, Services
from labkit.services.evidence import connections, count_rows

MakeEngine = Callable[..., Engine]
Until = Callable[..., Awaitable[None]]
TASKS = 1000


# aiosqlite forgets a connection whose opening was cancelled; from Python 3.13 on sqlite3 complains of that.
@pytest.mark.filterwarnings("ignore:.*sqlite3.Connection object:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.push
async def test_a_thousand_tasks_a_tenth_of_them_cancelled(make_engine: MakeEngine, any_services: Services) -> None:
    async with make_engine(pool_size=5, max_overflow=0, pool_timeout=60) as engine:
        await cancel_a_tenth_of_a_thousand(engine, any_services)


@pytest.mark.push
async def test_a_thousand_tasks_on_aiomysql_a_tenth_of_them_cancelled(
    make_engine: MakeEngine, services: Services
) -> None:
    async with make_engine(driver="aiomysql", pool_size=5, max_overflow=0, pool_timeout=60) as engine:
        await cancel_a_tenth_of_a_thousand(engine, services)


async def cancel_a_tenth_of_a_thousand(engine: Engine, services: Services) -> None:
    await engine.create_tables()
    chance = random.Random(7)
    finished: set[int] = set()
    endings = itertools.count(1)

    async def work(number: int) -> None:
        user = User(email=f"user{number}@example.org", name="Ada")
        if number % 2:
            await engine.save(user)
        else:
            async with engine.session():
                await engine.save(user)
                # A SELECT half read when it is cancelled keeps SQLite's file locked, and here all tasks are kept.
                if services.provider != "sqlite":
                    await engine.get(User, email=user.email)
        finished.add(number)

    def count(ended: asyncio.Task[None]) -> None:
        for victim in due.pop(next(endings), ()):
            strikes.append(asyncio.create_task(strike(victim, chance.randrange(20))))

    async def strike(victim: int, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        tasks[victim].cancel()

    # A victim is cancelled about when its turn comes: while it waits, connects, begins, writes or commits.
    victims = chance.sample(range(TASKS), TASKS // 10)
    due: dict[int, list[int]] = {}
    for victim in victims:
        due.setdefault(max(1, victim - chance.randrange(12)), []).append(victim)
    strikes: list[asyncio.Task[None]] = []
    tasks = [asyncio.create_task(work(number), name=f"worker {number}") for number in range(TASKS)]
    for task in tasks:
        task.add_done_callback(count)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*strikes)

    cancelled = {number for number, outcome in enumerate(outcomes) if isinstance(outcome, asyncio.CancelledError)}
    assert [outcome for outcome in outcomes if outcome and not isinstance(outcome, asyncio.CancelledError)] == []
    assert cancelled <= set(victims)
    assert len(cancelled) > TASKS // 20, len(cancelled)
    assert engine.statistics().checked_out == 0
    assert engine.statistics().sessions == ()
    assert engine.statistics().waiting == 0
    rows = Counter([user.email for user in await all_users(engine)])
    assert set(rows.values()) == {1}
    saved = {int(email.removeprefix("user").partition("@")[0]) for email in rows}
    assert saved >= finished
    assert saved - finished <= cancelled
    assert await count_rows(services, "users") == len(saved)
    if Capability.PROCESSLIST in services.capabilities:
        assert len(await connections(services)) <= 10  # two pools of five


async def all_users(engine: Engine) -> list[User]:
    found: list[User] = []
    while page := await engine.find(User, after=found[-1] if found else None, limit=1000):
        found += page
    return found


@pytest.mark.push
@pytest.mark.needs(Capability.RESTART)
async def test_mysql_killed_and_started_again_under_load(
    make_engine: MakeEngine, services: Services, until: Until
) -> None:
    assert services.control is not None
    saved: set[str] = set()
    unsure: set[str] = set()
    away, back, enough = asyncio.Event(), asyncio.Event(), asyncio.Event()
    pid = os.getpid()

    async with make_engine(pool_size=5, max_overflow=0) as engine:
        await engine.create_tables()

        async def work(worker: int) -> None:
            number = 0
            while not enough.is_set():
                email = f"user{worker}.{number}@example.org"
                number += 1
                try:
                    await engine.save(User(email=email, name="Ada"))
                    await engine.get(User, email=email)
                except (SQLAlchemyError, OSError) as error:
                    assert isinstance(error, DBAPIError | OSError), error  # noqa: PT017
                    unsure.add(email)
                    away.set()
                    await asyncio.sleep(0.01)
                else:
                    saved.add(email)
                    if back.is_set() and len(saved) > saved_before + 50:
                        enough.set()

        saved_before = 0
        workers = [asyncio.create_task(work(worker)) for worker in range(16)]
        async with asyncio.timeout(100):
            while len(saved) < 50:
                await asyncio.sleep(0)
            await services.control.stop("mysql")
            await away.wait()
            await services.control.start("mysql")
            saved_before = len(saved)
            back.set()
            await asyncio.gather(*workers)

        assert os.getpid() == pid
        assert unsure
        assert engine.statistics().checked_out == 0
        assert engine.statistics().sessions == ()
        rows = Counter(user.email for user in await all_users(engine))
        assert saved <= rows.keys()
        assert rows.keys() <= saved | unsure
        assert set(rows.values()) == {1}
        assert len(await connections(services)) <= 10  # two pools of five
    await until([], lambda: connections(services))


@pytest.mark.push
@pytest.mark.needs(Capability.RESTART)
async def test_redis_stopped_under_load_stops_nobody(make_engine: MakeEngine, services: Services) -> None:
    assert services.control is not None
    done: Counter[int] = Counter()
    enough = asyncio.Event()

    async with make_engine(pool_size=5, max_overflow=0) as engine:
        await engine.create_tables()

        async def work(worker: int) -> None:
            user = User(email=f"user{worker}@example.org", name="0")
            await engine.save(user)
            while not enough.is_set():
                done[worker] += 1
                user.name = str(done[worker])
                await engine.save(user)
                found = await engine.get(User, email=user.email)
                assert found is not None
                assert found.name == user.name

        async def until_each_has_done(more: int) -> None:
            start = Counter(done)
            while any(done[worker] < start[worker] + more for worker in range(8)):
                await asyncio.sleep(0)

        async with asyncio.timeout(100), asyncio.TaskGroup() as group:
            for worker in range(8):
                group.create_task(work(worker))
            await until_each_has_done(3)
            await services.control.stop("redis")
            try:
                await until_each_has_done(5)
            finally:
                await services.control.start("redis")
            await until_each_has_done(5)
            enough.set()
        assert engine.statistics().checked_out == 0
        assert await count_rows(services, "users") == 8
