"""A worker that keeps one asyncio.Runner, and so one loop and one engine, over all its jobs."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


class Worker:
    def __init__(self, url):
        self.runner = asyncio.Runner()
        self.engine = create_async_engine(url)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.runner.run(self.engine.dispose())
        self.runner.close()

    async def job(self, number):
        async with AsyncSession(self.engine) as session:
            return int(await session.scalar(text("SELECT :number + 1"), {"number": number}))

    def run(self, number):
        return self.runner.run(self.job(number))


with Worker(os.environ["DATABASE_URL"]) as worker:
    print([worker.run(number) for number in range(4)])
