"""A batch script that makes its lock and its engine inside each loop, however many loops it runs."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Batch:
    async def __aenter__(self):
        self.lock = asyncio.Lock()
        self.engine = create_async_engine(os.environ["DATABASE_URL"])
        return self

    async def __aexit__(self, *error):
        await self.engine.dispose()

    async def step(self, number):
        async with self.lock, self.engine.connect() as conn:
            return int(await conn.scalar(text("SELECT :number"), {"number": number}))


async def run(numbers):
    async with Batch() as batch:
        return await asyncio.gather(*map(batch.step, numbers))


print(asyncio.run(run([1, 2, 3])))
print(asyncio.run(run([4, 5, 6])))
