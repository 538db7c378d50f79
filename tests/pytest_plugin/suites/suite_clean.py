"""Nothing is left behind, in many ways."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from suites.app import behaves, count_users, make_engine

FINDINGS = {}


@pytest.fixture
async def engine():
    engine = make_engine()
    yield engine
    await engine.dispose()


@pytest.fixture
async def rolled_back(engine):
    async with engine.connect() as connection:
        transaction = await connection.begin()
        async with AsyncSession(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        await transaction.rollback()


async def test_behaves(engine):
    await behaves(engine)


async def test_rolled_back(rolled_back):
    await rolled_back.execute(text("CREATE TABLE IF NOT EXISTS clean (id INTEGER PRIMARY KEY)"))
    assert await count_users(rolled_back) == 1
    await rolled_back.commit()


async def test_gathers(engine):
    await asyncio.gather(*(behaves(engine) for _ in range(5)))


async def test_expects_an_error(engine):
    async def fails():
        async with AsyncSession(engine) as session:
            await count_users(session)
            raise LookupError

    with pytest.raises(LookupError):
        await fails()


async def test_times_out(engine):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), AsyncSession(engine) as session:
            await count_users(session)


def test_runs():
    async def main():
        engine = make_engine()
        await behaves(engine)
        await engine.dispose()

    asyncio.run(main())
