"""A web service with a small pool, whose handlers ask another service while they hold a session.

The third request waits for a connection until the pool gives up, though every session is closed in the end.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class App:
    def __init__(self, url):
        self.engine = create_async_engine(url, pool_size=2, max_overflow=0, pool_timeout=0.3)
        self.sessions = async_sessionmaker(self.engine)
        self.other_service = asyncio.Event()
        self.waiting = asyncio.Barrier(3)

    async def slow(self):
        async with self.sessions() as session:
            price = await session.scalar(text("SELECT 5"))
            await self.waiting.wait()
            await self.other_service.wait()
            return price

    async def fast(self):
        await self.waiting.wait()
        try:
            async with self.sessions() as session:
                return await session.scalar(text("SELECT 7"))  # finding: pool-exhausted
        except PoolTimeout:
            return "503"
        finally:
            self.other_service.set()


async def main():
    app = App(os.environ["DATABASE_URL"])
    print(await asyncio.gather(app.slow(), app.slow(), app.fast()))
    await app.engine.dispose()


asyncio.run(main())
