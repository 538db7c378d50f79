"""Service functions of a shop that get their session from a decorator.

The decorator builds a session factory for every call and closes no session: a connection is lost with each call.
"""

import asyncio
import functools
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
products = Table(
    "registry_factory_in_decorator",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(40)),
)
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=5)


def with_session(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        factory = async_sessionmaker(engine)  # finding: registry-rebuilt
        return await function(factory(), *args, **kwargs)

    return wrapper


@with_session
async def product_name(session, number):
    return await session.scalar(select(products.c.name).where(products.c.id == number))


@with_session
async def product_count(session):
    return len((await session.execute(select(products))).all())


async def prepare():
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(products), [{"id": 1, "name": "lamp"}, {"id": 2, "name": "desk"}])


async def main():
    await prepare()
    print(await product_name(1), await product_name(2), await product_count())
    print(engine.pool.status())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
