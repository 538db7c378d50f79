"""A synchronous program that asks the database through a helper thread, which has a loop of its own.

The thread's loop ends without disposing the thread's engine, while the main thread cleans its own one up.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine


async def square(engine: AsyncEngine, number: int) -> int:
    async with AsyncSession(engine) as session:
        return await session.scalar(text("SELECT :n * :n"), {"n": number})


async def squares(numbers: range) -> list[int]:
    engine = create_async_engine(os.environ["DATABASE_URL"])  # finding: engine-not-disposed
    return [await square(engine, number) for number in numbers]


def squares_in_background(numbers: range) -> list[int]:
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(asyncio.run, squares(numbers)).result()


async def greet() -> str:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        async with engine.connect() as conn:
            return await conn.scalar(text("SELECT 'hello'"))
    finally:
        await engine.dispose()


if __name__ == "__main__":
    print(asyncio.run(greet()), squares_in_background(range(4)))
