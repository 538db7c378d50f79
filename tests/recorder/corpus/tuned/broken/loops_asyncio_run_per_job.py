"""A Celery-like worker: every job is a plain function that calls asyncio.run.

All jobs share one module-level engine, so the second finds a connection of the first one's closed loop in
the pool.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
Session = async_sessionmaker(engine, expire_on_commit=False)


async def convert(number):
    async with Session() as session:
        query = text("SELECT :number * 2").bindparams(number=number)
        result = await session.execute(query)  # finding: pool-crossed-loops
        return result.scalar_one()


def task(number):
    return asyncio.run(convert(number))


def worker(queue):
    for number in queue:
        try:
            print(number, "->", int(task(number)))
        except RuntimeError as error:
            print(number, "failed:", str(error)[-32:])


if __name__ == "__main__":
    worker([1, 2])
