"""A job runner with an asyncio.run for each job, and a global engine that keeps no connections."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
sessions = async_sessionmaker(engine)


async def setup() -> None:
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS null_pool_jobs"))
        await conn.execute(text("CREATE TABLE null_pool_jobs (number INTEGER)"))


async def record(number: int) -> int:
    async with sessions.begin() as session:
        await session.execute(text("INSERT INTO null_pool_jobs VALUES (:number)"), {"number": number})
        return await session.scalar(text("SELECT COUNT(*) FROM null_pool_jobs"))


if __name__ == "__main__":
    asyncio.run(setup())
    counts = [asyncio.run(record(number)) for number in (1, 2, 3)]
    assert counts == [1, 2, 3], counts
    print(counts)
