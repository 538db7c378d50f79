"""An import with two workers, each of which reads with one session and writes with another.

The pool has two connections. Both workers hold one and wait for another, and nothing is imported before
the time-out of the pool ends it.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


class Importer:
    def __init__(self, sessions: async_sessionmaker[AsyncSession], count: int) -> None:
        self.sessions = sessions
        self.started = asyncio.Barrier(count)

    async def translate(self, word: str) -> str:
        async with self.sessions() as lookup:
            return await lookup.scalar(text("SELECT UPPER(:word)"), {"word": word})  # finding: nested-checkout

    async def run(self, word: str) -> str:
        async with self.sessions() as session:
            await session.execute(text("SELECT 1"))
            await self.started.wait()
            return await self.translate(word)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0, pool_timeout=0.4)
    importer = Importer(async_sessionmaker(engine), 2)
    results = await asyncio.gather(importer.run("loop"), importer.run("pool"), return_exceptions=True)
    print("gave up:", sum(isinstance(result, PoolTimeout) for result in results))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
