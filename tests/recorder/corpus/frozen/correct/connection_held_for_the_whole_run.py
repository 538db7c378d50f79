"""A leader that holds one connection from start to stop, as its sign of life, while workers come and go."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


class Leader:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def start(self) -> None:
        self.conn = await self.engine.connect()
        await self.conn.execute(text("SELECT 1"))

    async def beat(self) -> int:
        return await self.conn.scalar(text("SELECT 1"))

    async def stop(self) -> None:
        await self.conn.close()


async def worker(engine: AsyncEngine, number: int) -> int:
    async with engine.connect() as conn:
        await asyncio.sleep(0.01)
        return await conn.scalar(text("SELECT :n + 1"), {"n": number})


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=3)
    leader = Leader(engine)
    await leader.start()
    try:
        for start in range(0, 20, 2):
            print(await leader.beat(), await asyncio.gather(*(worker(engine, start + n) for n in (0, 1))))
    finally:
        await leader.stop()
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
