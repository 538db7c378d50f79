"""A crawler that limits its writes with a module-level semaphore and runs each batch with asyncio.run.

As soon as tasks have to wait in the second batch, they learn that the semaphore is bound to the first one's loop.
"""

import asyncio
import os
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

limit = asyncio.Semaphore(1)


@asynccontextmanager
async def connection(engine):
    async with engine.connect() as conn:
        yield conn


async def number_of(engine, page):
    async with connection(engine) as conn:
        return int(await conn.scalar(text("SELECT :page"), {"page": page}))


async def fetch(engine, page):
    async with limit:  # finding: primitive-crossed-loops
        return await number_of(engine, page)


async def batch(pages):
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        answers = await asyncio.gather(*(fetch(engine, page) for page in pages), return_exceptions=True)
    finally:
        await engine.dispose()
    return [str(answer)[-31:] for answer in answers]


if __name__ == "__main__":
    print(asyncio.run(batch([1, 2])))
    print(asyncio.run(batch([3, 4])))
