"""A test module with an engine made at import, and a loop per test as pytest-asyncio gives it.

The first test passes, and the second one gets its connection from a loop that is closed, and fails.
"""

# drivers: asyncmy aiomysql
# exit: 1

import os
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
make_session = async_sessionmaker(engine)


async def greeting(session: AsyncSession, name: str) -> str:
    return await session.scalar(
        text("SELECT CONCAT('hello ', :name)"), {"name": name}
    )  # finding: pool-crossed-loops


@pytest.mark.asyncio
async def test_greets_ada() -> None:
    async with make_session() as session:
        assert await greeting(session, "ada") == "hello ada"


@pytest.mark.asyncio
async def test_greets_grace() -> None:
    async with make_session() as session:
        assert await greeting(session, "grace") == "hello grace"


if __name__ == "__main__":
    here = Path(__file__)
    options = ["-q", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull, "--rootdir", str(here.parent)]
    loops = ["-o", "asyncio_default_fixture_loop_scope=function"]
    sys.exit(pytest.main([str(here), *options, *loops]))
