"""A scheduler whose six jobs share two connections: the later jobs wait for the pool and are served in time."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


async def job(sessions, number):
    async with sessions() as session:
        first = await session.scalar(text("SELECT :number"), {"number": number})
        await asyncio.sleep(0.02)
        return int(first)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0, pool_timeout=5)
    sessions = async_sessionmaker(engine)
    print(await asyncio.gather(*(job(sessions, number) for number in range(6))))
    await engine.dispose()


asyncio.run(main())
