"""A worker with a graceful shutdown: it stops its consumers and disposes of the engine.

The engine is disposed of while a consumer still works; its connection then returns to the old pool, where
nobody closes it.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class Worker:
    def __init__(self, url):
        self.engine = create_async_engine(url, pool_size=4)  # finding: engine-not-disposed
        self.sessions = async_sessionmaker(self.engine)
        self.busy = asyncio.Event()
        self.may_finish = asyncio.Event()

    async def consume(self):
        async with self.sessions() as session:
            answer = await session.scalar(text("SELECT 6 * 7"))
            self.busy.set()
            await self.may_finish.wait()
            return answer

    async def stop(self):
        await self.engine.dispose()
        self.may_finish.set()


async def main():
    worker = Worker(os.environ["DATABASE_URL"])
    consumer = asyncio.create_task(worker.consume())
    await worker.busy.wait()
    await worker.stop()
    print("answer:", await consumer)


asyncio.run(main())
