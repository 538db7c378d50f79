"""A script that was a notebook once, and so still patches asyncio to run loops in loops.

With the patch asyncio.run leaves its loop open, which hides that both steps use one engine: without it the
second step fails.
"""

# needs: nest_asyncio

import asyncio
import os

import nest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

nest_asyncio.apply()  # finding: nest-asyncio-active

engine = create_async_engine(os.environ["DATABASE_URL"])


async def load(number: int) -> int:
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT :n * 7"), {"n": number})


async def export(values: list[int]) -> None:
    print(sum(values))
    await engine.dispose()


values = [asyncio.run(load(number)) for number in (1, 2)]
asyncio.run(export(values))
