"""A script that came out of a notebook, with nest_asyncio still applied at the top.

Each asyncio.run goes on in one loop that is never closed, so that the shared engine seems to work.
"""

# needs: nest_asyncio

import asyncio
import os

import nest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

nest_asyncio.apply()  # finding: nest-asyncio-active

engine = create_async_engine(os.environ["DATABASE_URL"])


async def answer(number):
    async with engine.connect() as conn:
        return int(await conn.scalar(text("SELECT :number + 1"), {"number": number}))


def cell(number):
    return asyncio.run(answer(number))


print(cell(1), cell(2), cell(3))
asyncio.run(engine.dispose())
