"""A bulk loader that numbers the rows of several files in parallel.

The tasks of the group share one connection to save connections, and so run their statements into each other.
"""

import asyncio
import os
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

FILES = {"a.csv": 3, "b.csv": 4}


async def measure(conn, totals, name):
    for number in range(FILES[name]):
        totals[name] += await conn.scalar(  # finding: session-shared
            text("SELECT :number"),
            {"number": number},
        )


async def load(engine):
    totals = dict.fromkeys(FILES, 0)
    async with engine.connect() as conn:
        await conn.execute(text("SELECT 1"))
        step = partial(measure, conn, totals)
        async with asyncio.TaskGroup() as group:
            for name in FILES:
                group.create_task(step(name), name=name)
    return totals


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        print(await load(engine))
    finally:
        await engine.dispose()


asyncio.run(main())
