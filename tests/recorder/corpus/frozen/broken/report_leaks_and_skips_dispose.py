"""A nightly report script that reads two figures at the same time.

One of the two functions never closes its session, and the script ends without disposing the engine, so
one connection is out and one lies idle when the loop closes.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine


async def orders(engine: AsyncEngine, both: asyncio.Barrier) -> int:
    session = AsyncSession(engine)
    count = await session.scalar(text("SELECT 12"))  # finding: leaked-connection
    await both.wait()
    return count


async def customers(engine: AsyncEngine, both: asyncio.Barrier) -> int:
    async with AsyncSession(engine) as session:
        count = await session.scalar(text("SELECT 5"))
        await both.wait()
        return count


async def report() -> float:
    engine = create_async_engine(os.environ["DATABASE_URL"])  # finding: engine-not-disposed
    both = asyncio.Barrier(2)
    counts = await asyncio.gather(orders(engine, both), customers(engine, both))
    return counts[0] / counts[1]


if __name__ == "__main__":
    print(f"orders per customer: {asyncio.run(report()):.1f}")
