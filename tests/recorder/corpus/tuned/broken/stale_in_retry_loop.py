"""A queue worker that tries each job again when the database fails, with a decorator.

The server has closed the idle connection, so that the first attempt of the next job always fails.
"""

# drivers: asyncmy aiomysql
# needs: kill

import asyncio
import functools
import os

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine


def retry(times):
    def decorate(function):
        @functools.wraps(function)
        async def wrapper(*args):
            for attempt in range(1, times + 1):
                try:
                    return attempt, await function(*args)
                except OperationalError:
                    if attempt == times:
                        raise

        return wrapper

    return decorate


@retry(3)
async def job(engine, number):
    async with engine.begin() as conn:
        result = await conn.execute(text("SELECT :number"), {"number": number})  # finding: stale-connection
        return int(result.scalar())


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    admin = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.connect() as conn:
        number = await conn.scalar(text("SELECT CONNECTION_ID()"))
    async with admin.connect() as conn:
        await conn.execute(text(f"KILL {number}"))
    attempts, answer = await job(engine, 7)
    print("answer:", answer, "attempts:", attempts)
    await admin.dispose()
    await engine.dispose()


asyncio.run(main())
