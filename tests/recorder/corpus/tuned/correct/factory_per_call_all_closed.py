"""Service functions whose decorator builds a session factory for each call and closes every session."""

import asyncio
import functools
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])


def transactional(function):
    @functools.wraps(function)
    async def wrapper(*args):
        factory = async_sessionmaker(engine)
        async with factory() as session, session.begin():
            return await function(session, *args)

    return wrapper


@transactional
async def create(session):
    await session.execute(text("DROP TABLE IF EXISTS factory_per_call_all_closed"))
    await session.execute(text("CREATE TABLE factory_per_call_all_closed (id INTEGER PRIMARY KEY)"))


@transactional
async def add(session, number):
    await session.execute(text("INSERT INTO factory_per_call_all_closed (id) VALUES (:id)"), {"id": number})


@transactional
async def count(session):
    return await session.scalar(text("SELECT COUNT(*) FROM factory_per_call_all_closed"))


async def main():
    await create()
    for number in (1, 2, 3):
        await add(number)
    print("rows:", await count())
    await engine.dispose()


asyncio.run(main())
