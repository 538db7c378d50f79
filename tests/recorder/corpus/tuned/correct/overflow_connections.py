"""A web service whose pool of one connection grows for a moment: the overflow connections are closed on return."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


async def request(sessions, all_here, number):
    async with sessions() as session:
        answer = await session.scalar(text("SELECT :number"), {"number": number})
        await all_here.wait()
        return int(answer)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=3, pool_timeout=2)
    sessions, all_here = async_sessionmaker(engine), asyncio.Barrier(4)
    print(await asyncio.gather(*(request(sessions, all_here, number) for number in range(4))))
    print("left:", engine.pool.checkedin(), "out:", engine.pool.checkedout())
    await engine.dispose()


asyncio.run(main())
