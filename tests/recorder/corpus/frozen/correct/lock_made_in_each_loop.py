"""A counter service that is started twice, and makes its lock and its engine inside each loop."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


class Counter:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.engine = create_async_engine(os.environ["DATABASE_URL"])

    async def __aenter__(self) -> "Counter":
        async with self.engine.begin() as conn:
            await conn.execute(text("DROP TABLE IF EXISTS lock_made_counter"))
            await conn.execute(text("CREATE TABLE lock_made_counter (value INTEGER)"))
            await conn.execute(text("INSERT INTO lock_made_counter VALUES (0)"))
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.engine.dispose()

    async def increase(self) -> int:
        async with self.lock, AsyncSession(self.engine) as session, session.begin():
            value = await session.scalar(text("SELECT value FROM lock_made_counter"))
            await session.execute(text("UPDATE lock_made_counter SET value = :value"), {"value": value + 1})
            return value + 1


async def service(clients: int) -> int:
    async with Counter() as counter:
        return max(await asyncio.gather(*(counter.increase() for _ in range(clients))))


if __name__ == "__main__":
    results = [asyncio.run(service(clients)) for clients in (5, 3)]
    assert results == [5, 3], results
    print(results)
