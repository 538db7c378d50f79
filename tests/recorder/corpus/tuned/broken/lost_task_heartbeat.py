"""A worker with a heartbeat in the background, which shows that the worker is alive.

Nobody stops the heartbeat at the end: asyncio.run cancels it while it holds its connection.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Worker:
    def __init__(self, engine):
        self.engine = engine
        self.beating = asyncio.Event()

    async def heartbeat(self):
        conn = await self.engine.connect()  # finding: lost-task
        while True:
            await conn.execute(text("SELECT 1"))
            await conn.rollback()
            self.beating.set()
            await asyncio.sleep(60)

    async def run(self, jobs):
        self.background = asyncio.create_task(self.heartbeat(), name="heartbeat")
        await self.beating.wait()
        return sum(jobs)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    print("done:", await Worker(engine).run([1, 2, 3]))
    await engine.dispose()


asyncio.run(main())
