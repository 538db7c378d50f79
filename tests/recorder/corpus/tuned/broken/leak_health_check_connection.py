"""A health endpoint and the monitor that polls it.

The check connects and never gives the connection back, so after a few polls the pool has none left to give.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine


class Health:
    def __init__(self, engine):
        self.engine = engine
        self.seen = []

    async def database(self):
        conn = await self.engine.connect()  # finding: leaked-connection
        self.seen.append(conn)
        return await conn.scalar(text("SELECT 1")) == 1

    async def report(self):
        try:
            return {"database": "up" if await self.database() else "strange"}
        except PoolTimeout as error:
            return {"database": "down", "why": type(error).__name__}


async def poll(health, times):
    for _ in range(times):
        print(await health.report())


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0, pool_timeout=0.3)
    await poll(Health(engine), 3)


if __name__ == "__main__":
    asyncio.run(main())
