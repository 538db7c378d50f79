"""A live search: every key cancels the search before it and starts another.

The cancelled search is in the middle of a statement, loses its connection, and nobody ends its session.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class LiveSearch:
    def __init__(self, sessions):
        self.sessions = sessions
        self.task = None
        self.searching = asyncio.Event()

    async def search(self, word):
        session = self.sessions()
        await session.execute(text("SELECT 1"))  # finding: cancelled-while-holding
        self.searching.set()
        length = await session.scalar(text("SELECT LENGTH(:word)"), {"word": word})
        await session.close()
        return length

    def key(self, word):
        if self.task is not None:
            self.task.cancel()
        self.task = asyncio.create_task(self.search(word), name=f"search {word}")
        return self.task


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    live = LiveSearch(async_sessionmaker(engine))
    first = live.key("a")
    await live.searching.wait()
    print("found:", await live.key("ab"))
    print("first:", *await asyncio.gather(first, return_exceptions=True))
    await engine.dispose()


asyncio.run(main())
