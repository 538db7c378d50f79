"""A worker that tries to claim the next job, again and again until it gets one.

It returns out of the loop as soon as the update has hit a row, and skips the commit: the job stays free.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

TABLE = "lost_write_in_retry_loop"


async def claim(engine, worker):
    for number in (1, 2):
        async with AsyncSession(engine) as session:
            result = await session.execute(  # finding: lost-write
                text(f"UPDATE {TABLE} SET worker = :worker WHERE id = :id AND worker IS NULL"),
                {"worker": worker, "id": number},
            )
            if result.rowcount:
                return number
            await session.commit()
    return None


async def prepare(engine):
    async with engine.begin() as conn:
        await conn.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))
        await conn.execute(text(f"CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, worker VARCHAR(10))"))
        await conn.execute(text(f"INSERT INTO {TABLE} (id, worker) VALUES (1, 'busy'), (2, NULL)"))


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    await prepare(engine)
    print("claimed:", await claim(engine, "w1"))
    async with AsyncSession(engine) as session:
        print("worker:", await session.scalar(text(f"SELECT worker FROM {TABLE} WHERE id = 2")))
    await engine.dispose()


asyncio.run(main())
