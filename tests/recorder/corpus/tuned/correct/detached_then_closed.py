"""A listener that takes its connection out of the pool for a long time, and closes it itself."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Listener:
    def __init__(self, engine):
        self.engine = engine

    async def __aenter__(self):
        self.conn = await self.engine.connect()
        await self.conn.run_sync(lambda conn: conn.detach())
        return self

    async def __aexit__(self, *error):
        await self.conn.close()

    async def poll(self):
        return await self.conn.scalar(text("SELECT 1"))


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=1)
    async with Listener(engine) as listener, engine.connect() as conn:
        print("events:", await listener.poll(), await conn.scalar(text("SELECT 2")))
    await engine.dispose()


asyncio.run(main())
