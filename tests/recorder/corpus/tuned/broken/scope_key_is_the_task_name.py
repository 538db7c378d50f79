"""A small web service that keys its scoped session by the name of the task.

All request tasks have the same name, so the second request works on in the transaction that the first left open.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine

TABLE = "scope_key_is_the_task_name"
engine = create_async_engine(os.environ["DATABASE_URL"])


def scope():
    return asyncio.current_task().get_name()


session = async_scoped_session(async_sessionmaker(engine), scopefunc=scope)


async def draft(number):
    await session.execute(  # finding: scope-mismatch
        text(f"INSERT INTO {TABLE} (id, state) VALUES (:id, 'draft')"), {"id": number}
    )
    return "kept for later"


async def publish(number):
    await session.execute(text(f"INSERT INTO {TABLE} (id, state) VALUES (:id, 'public')"), {"id": number})
    await session.commit()
    await session.remove()
    return "published"


async def request(handler, *args):
    return await asyncio.create_task(handler(*args), name="request")


async def main():
    async with engine.begin() as conn:
        await conn.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))
        await conn.execute(text(f"CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, state VARCHAR(10))"))
    print(await request(draft, 1))
    print(await request(publish, 2))
    async with engine.connect() as conn:
        print("rows:", await conn.scalar(text(f"SELECT COUNT(*) FROM {TABLE}")))
    await engine.dispose()


asyncio.run(main())
