"""A worker with a health check that uses a plain connection of the engine.

The check never closes the connection, which is seen as one more open connection after each check.
"""

import asyncio
import os
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine


@dataclass
class Health:
    engine: AsyncEngine
    answers: list[int] = field(default_factory=list)

    async def _probe(self) -> AsyncConnection:
        conn = await self.engine.connect()  # finding: leaked-connection
        await conn.execute(text("SELECT 1"))
        return conn

    async def check(self) -> bool:
        conn = await self._probe()
        answer = await conn.scalar(text("SELECT 1"))
        self.answers.append(answer)
        return answer == 1


async def work(engine: AsyncEngine, number: int) -> int:
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT :n * :n"), {"n": number})


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    health = Health(engine)
    try:
        for number in range(3):
            print(await work(engine, number), "healthy" if await health.check() else "sick")
    finally:
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
