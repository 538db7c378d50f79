"""A report generator that holds one connection during a long calculation and gives it back at the end."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Report:
    def __init__(self, engine):
        self.engine = engine
        self.conn = None

    async def open(self):
        self.conn = await self.engine.connect()

    async def line(self, number):
        await asyncio.sleep(0.05)
        return await self.conn.scalar(text("SELECT :number * :number"), {"number": number})

    async def close(self):
        await self.conn.close()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=1)
    report = Report(engine)
    await report.open()
    try:
        print([int(await report.line(number)) for number in range(10)])
    finally:
        await report.close()
        await engine.dispose()


asyncio.run(main())
