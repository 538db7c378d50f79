"""The same promises on both drivers for MySQL; aiosqlite runs in all the other tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, TimeoutError

from labkit.engine import Engine, Message, Room, User
from labkit.services import Capability, Services
from labkit.services.evidence import connections, count_rows

MakeEngine = Callable[..., Engine]
Until = Callable[..., Awaitable[None]]


@pytest.fixture
async def driven(make_engine: MakeEngine, services: Services, driver: str) -> AsyncIterator[Engine]:
    """Give an open engine on `driver`, with a pool of two and no cache: each `get` is a read."""
    async with make_engine(driver=driver, redis=False, pool_size=2, max_overflow=0) as engine:
        await engine.create_tables()
        yield engine
        assert engine.statistics().checked_out == 0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "driver" in metafunc.fixturenames:
        metafunc.parametrize("driver", ["asyncmy", "aiomysql"], ids=["asyncmy", "aiomysql"])


async def test_an_object_lives_from_save_to_delete(driven: Engine, services: Services) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    user = User(email="ada@example.org", name="Ada 🐍", created_at=moment)
    await driven.save(user)
    found = await driven.get(User, email="ada@example.org")
    assert found is not None
    assert (found.id, found.name, found.created_at) == (1, "Ada 🐍", moment)
    found.name = "Countess"
    await driven.save(found)
    assert [each.name for each in await driven.find(User, User.name == "Countess")] == ["Countess"]
    await driven.delete(found)
    assert await count_rows(services, "users") == 0


async def test_the_driver_is_the_one_named(driven: Engine, services: Services, driver: str) -> None:
    assert driven.engine.dialect.driver == driver


async def test_a_duplicate_leaves_nothing_and_a_block_goes_on_after_it(driven: Engine, services: Services) -> None:
    await driven.save(User(email="ada@example.org", name="Ada"))
    with pytest.raises(IntegrityError):
        await driven.save(User(email="ada@example.org", name="Ada"))
    async with driven.session():
        with pytest.raises(IntegrityError):
            await driven.save(User(email="bob@example.org", name="Bob"), User(email="ada@example.org", name="Ada"))
        await driven.save(User(email="cy@example.org", name="Cy"))
    assert [user.name for user in await driven.find(User)] == ["Ada", "Cy"]


async def test_a_foreign_key_is_kept(driven: Engine, services: Services) -> None:
    with pytest.raises(IntegrityError):
        await driven.save(Message(room_id=7, author_id=7, body="nowhere"))
    await driven.save(Message(room=Room(name="tea"), author=User(email="a@b.c", name="Ada"), body="hello"))
    assert await count_rows(services, "messages") == 1


async def test_an_exception_rolls_back(driven: Engine, services: Services) -> None:
    with pytest.raises(KeyError):  # noqa: PT012
        async with driven.session():
            await driven.save(User(email="ada@example.org", name="Ada"))
            raise KeyError
    assert await driven.find(User) == []


async def test_a_full_pool_makes_others_wait_and_then_serves_them(driven: Engine, services: Services) -> None:
    users = [User(email=f"user{i}@example.org", name="Ada") for i in range(20)]
    await asyncio.gather(*(driven.save(user) for user in users))
    assert await count_rows(services, "users") == 20


async def test_whole_or_nothing_wherever_it_is_cancelled(
    driven: Engine, services: Services, cancel_everywhere: Callable[..., Awaitable[list[bool]]]
) -> None:
    emails = iter(f"user{i}@example.org" for i in range(10_000))
    tried: list[str] = []

    async def work() -> None:
        tried[:] = [next(emails), next(emails)]
        async with driven.session():
            await driven.save(User(email=tried[0], name="Ada"))
            await driven.save(User(email=tried[1], name="Bob"))

    async def check(cancelled: bool) -> None:
        rows = [await count_rows(services, "users", email=email) for email in tried]
        assert rows in ([0, 0], [1, 1])
        assert cancelled or rows == [1, 1]
        assert driven.statistics().checked_out == 0

    assert any(await cancel_everywhere(work, check))
    await driven.save(User(email="last@example.org", name="Zoe"))


@pytest.mark.needs(Capability.PROCESSLIST)
async def test_close_leaves_no_connection_at_the_server(
    make_engine: MakeEngine, services: Services, driver: str, until: Until
) -> None:
    async with make_engine(driver=driver, redis=False) as engine:
        await engine.create_tables()
        await asyncio.gather(*(engine.find(User) for _ in range(10)))
        assert await connections(services) != []
    await until([], lambda: connections(services))


@pytest.mark.needs(Capability.SLEEP, Capability.PROCESSLIST)
async def test_a_query_given_up_does_not_answer_the_next_one(driven: Engine, services: Services) -> None:
    async def sleep() -> None:
        async with driven.session() as session:
            await session.execute(text("SELECT SLEEP(2)"))

    asking = asyncio.create_task(sleep())
    while not asking.done() and not any(
        "SLEEP" in (each.info or "").upper() for each in await connections(services)
    ):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
    for number in range(5):
        user = User(email=f"user{number}@example.org", name="Ada")
        await driven.save(user)
        found = await driven.get(User, email=f"user{number}@example.org")
        assert found is not None
        assert found.id == user.id


async def test_a_pool_that_stays_full_says_so(make_engine: MakeEngine, services: Services, driver: str) -> None:
    async with make_engine(driver=driver, pool_size=1, max_overflow=0, pool_timeout=0.01) as engine:  # noqa: SIM117
        async with engine.session() as session:
            await session.execute(text("SELECT 1"))
            with pytest.raises(TimeoutError, match="limit of size 1 overflow 0"):
                await asyncio.create_task(engine.save(User(email="ada@example.org", name="Ada")))
