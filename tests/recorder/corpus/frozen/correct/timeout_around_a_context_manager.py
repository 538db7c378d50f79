"""A proxy that gives each lookup a time limit with asyncio.timeout, around a session in async with."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


class Lookup:
    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self.sessions = sessions
        self.remote = asyncio.Event()

    async def local(self, name: str) -> str:
        async with self.sessions() as session:
            return await session.scalar(text("SELECT UPPER(:name)"), {"name": name})

    async def slow(self, name: str) -> str:
        async with self.sessions() as session:
            answer = await session.scalar(text("SELECT LOWER(:name)"), {"name": name})
            await self.remote.wait()
            return answer


async def answer(lookup: Lookup, name: str) -> str:
    try:
        async with asyncio.timeout(0.2):
            return await lookup.slow(name)
    except TimeoutError:
        return await lookup.local(name)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=2)
    lookup = Lookup(async_sessionmaker(engine))
    for name in ("Ada", "Grace"):
        print(await answer(lookup, name))
    assert engine.pool.checkedout() == 0
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
