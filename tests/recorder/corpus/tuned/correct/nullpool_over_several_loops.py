"""A Celery-like worker that runs each job with asyncio.run on one engine without a pool (NullPool)."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
Session = async_sessionmaker(engine)


async def convert(number):
    async with Session() as session:
        return await session.scalar(text("SELECT :number * 2"), {"number": number})


def worker(queue):
    for number in queue:
        print(number, "->", int(asyncio.run(convert(number))))


if __name__ == "__main__":
    worker([1, 2, 3])
