"""A test module with a fixture that makes an engine for each test, and disposes it in the test's loop."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


@pytest_asyncio.fixture
async def session() -> AsyncIterator[AsyncSession]:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.connect() as conn:
        outer = await conn.begin()
        async with AsyncSession(conn, join_transaction_mode="create_savepoint") as session:
            yield session
        await outer.rollback()
    await engine.dispose()


@pytest.mark.asyncio
@pytest.mark.parametrize("number", [3, 4])
async def test_squares(session: AsyncSession, number: int) -> None:
    assert await session.scalar(text("SELECT :n * :n"), {"n": number}) == number**2


@pytest.mark.asyncio
async def test_keeps_the_order(session: AsyncSession) -> None:
    rows = await session.execute(text("SELECT 1 UNION ALL SELECT 2"))
    assert list(rows.scalars()) == [1, 2]


if __name__ == "__main__":
    here = Path(__file__)
    options = ["-q", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull, "--rootdir", str(here.parent)]
    loops = ["-o", "asyncio_default_fixture_loop_scope=function"]
    sys.exit(pytest.main([str(here), *options, *loops]))
