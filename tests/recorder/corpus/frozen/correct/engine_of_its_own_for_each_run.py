"""A synchronous command line in which each step is an asyncio.run, with an engine that it disposes."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


@asynccontextmanager
async def database() -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        yield async_sessionmaker(engine)
    finally:
        await engine.dispose()


async def prepare() -> None:
    async with database() as sessions, sessions.begin() as session:
        await session.execute(text("DROP TABLE IF EXISTS engine_of_its_own_log"))
        await session.execute(text("CREATE TABLE engine_of_its_own_log (line VARCHAR(40))"))


async def append(line: str) -> None:
    async with database() as sessions, sessions.begin() as session:
        await session.execute(text("INSERT INTO engine_of_its_own_log VALUES (:line)"), {"line": line})


async def count() -> int:
    async with database() as sessions, sessions() as session:
        return await session.scalar(text("SELECT COUNT(*) FROM engine_of_its_own_log"))


def main() -> None:
    asyncio.run(prepare())
    for line in ("started", "worked", "stopped"):
        asyncio.run(append(line))
    lines = asyncio.run(count())
    assert lines == 3, lines
    print(lines, "lines")


if __name__ == "__main__":
    main()
