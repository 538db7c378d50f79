"""A report service that runs its own event loop in a thread, with its own engine.

The thread's coroutine returns out of the loop over the rows and never closes the session; its loop ends
with the connection out.
"""

import asyncio
import os
import threading

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class ReportThread(threading.Thread):
    def __init__(self, url):
        super().__init__(name="reports")
        self.url = url
        self.answer = None

    def run(self):
        self.answer = asyncio.run(self.first_large(100))

    async def first_large(self, limit):
        engine = create_async_engine(self.url)
        session = async_sessionmaker(engine)()
        rows = await session.execute(  # finding: leaked-connection
            text("SELECT id, amount FROM leak_in_thread_loop ORDER BY id")
        )
        for number, amount in rows:
            if amount > limit:
                return number
        await session.close()
        await engine.dispose()
        return None


async def prepare(url):
    engine = create_async_engine(url)
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS leak_in_thread_loop"))
        await conn.execute(text("CREATE TABLE leak_in_thread_loop (id INTEGER PRIMARY KEY, amount INTEGER)"))
        await conn.execute(text("INSERT INTO leak_in_thread_loop VALUES (1, 20), (2, 400), (3, 50)"))
    await engine.dispose()


def main():
    asyncio.run(prepare(os.environ["DATABASE_URL"]))
    thread = ReportThread(os.environ["DATABASE_URL"])
    thread.start()
    thread.join()
    print("first large amount:", thread.answer)


main()
