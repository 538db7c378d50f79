"""A server with a report thread that has its own loop and its own engine, beside those of the server."""

import asyncio
import os
import threading

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


class Database:
    def __init__(self, url):
        self.engine = create_async_engine(url)

    async def double(self, number):
        async with AsyncSession(self.engine) as session:
            return int(await session.scalar(text("SELECT 2 * :number"), {"number": number}))


class Reports(threading.Thread):
    def __init__(self, url):
        super().__init__(name="reports")
        self.url = url
        self.lines = []

    def run(self):
        asyncio.run(self.report())

    async def report(self):
        database = Database(self.url)
        try:
            self.lines = [await database.double(number) for number in range(4)]
        finally:
            await database.engine.dispose()


async def main():
    url = os.environ["DATABASE_URL"]
    server, reports = Database(url), Reports(url)
    reports.start()
    print("server:", await server.double(21))
    await asyncio.to_thread(reports.join)
    print("report:", reports.lines)
    await server.engine.dispose()


asyncio.run(main())
