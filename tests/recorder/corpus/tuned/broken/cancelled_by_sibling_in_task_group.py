"""An import with a reader and a checker that run side by side in a TaskGroup.

The checker raises, the group cancels the reader, and the reader has no finally that would give its
connection back.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Import:
    def __init__(self, engine):
        self.engine = engine
        self.rows = asyncio.Queue()

    async def read(self):
        conn = await self.engine.connect()  # finding: cancelled-while-holding
        for number in range(10):
            value = await conn.scalar(text("SELECT :number - 1"), {"number": number})
            await self.rows.put(int(value))
            await self.rows.join()
        await conn.close()

    async def check(self):
        while True:
            value = await self.rows.get()
            if value < 0:
                raise ValueError(f"negative: {value}")
            self.rows.task_done()

    async def run(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.read(), name="reader")
            group.create_task(self.check(), name="checker")


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        await Import(engine).run()
    except* ValueError as group:
        print("stopped:", *group.exceptions)
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
