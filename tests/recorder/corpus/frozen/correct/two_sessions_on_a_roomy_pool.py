"""A copy job that reads with one session and writes with another in the same task, with room in the pool."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=4)
sessions = async_sessionmaker(engine)


async def setup() -> None:
    async with engine.begin() as conn:
        for table in ("two_sessions_source", "two_sessions_target"):
            await conn.execute(text(f"DROP TABLE IF EXISTS {table}"))
            await conn.execute(text(f"CREATE TABLE {table} (number INTEGER)"))
        await conn.execute(text("INSERT INTO two_sessions_source VALUES (1), (2), (3)"))


async def copy() -> int:
    async with sessions() as source, sessions.begin() as target:
        rows = (await source.execute(text("SELECT number FROM two_sessions_source"))).scalars().all()
        await source.rollback()
        await source.execute(text("SELECT 1"))
        for number in rows:
            await target.execute(text("INSERT INTO two_sessions_target VALUES (:n)"), {"n": number * 10})
        return len(rows)


async def main() -> None:
    await setup()
    copied = await copy()
    async with engine.connect() as conn:
        stored = await conn.scalar(text("SELECT SUM(number) FROM two_sessions_target"))
    assert (copied, stored) == (3, 60), (copied, stored)
    print("copied", copied)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
