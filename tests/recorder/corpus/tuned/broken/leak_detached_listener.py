"""A listener that takes a connection for itself out of the pool, so that the pool does not count it.

The connection is detached and then forgotten: neither the pool nor the listener closes it.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Listener:
    def __init__(self, engine):
        self.engine = engine
        self.conn = None

    async def start(self):
        self.conn = await self.engine.connect()  # finding: leaked-connection
        await self.conn.run_sync(lambda conn: conn.detach())

    async def poll(self):
        return await self.conn.scalar(text("SELECT 1"))


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    listener = Listener(engine)
    await listener.start()
    print("events:", await listener.poll())
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
