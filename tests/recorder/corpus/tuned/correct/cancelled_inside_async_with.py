"""A worker whose jobs may take too long: the time-out cancels a job while it holds a session, inside async with."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


async def job(sessions, seconds):
    async with sessions() as session:
        price = await session.scalar(text("SELECT 12"))
        await asyncio.sleep(seconds)
        return price


async def run(sessions, seconds, limit):
    try:
        return await asyncio.wait_for(job(sessions, seconds), timeout=limit)
    except TimeoutError:
        return "too slow"


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=1)
    sessions = async_sessionmaker(engine)
    async with sessions() as session:
        await session.execute(text("SELECT 1"))
    print([await run(sessions, seconds, limit) for seconds, limit in ((0, 5), (60, 0.2), (0, 5))])
    await engine.dispose()


asyncio.run(main())
