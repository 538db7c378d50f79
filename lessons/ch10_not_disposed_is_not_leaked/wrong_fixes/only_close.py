"""
Give everything back, in both jobs, and leave out `dispose()`, which had not helped.

Fails: test_find_leaves_nothing_idle

Because: a connection that is given back is not closed: it lies idle in the pool. `find` had one fault and now has
the other.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


async def find(engine, email):
    async with engine.connect() as connection:
        name = await connection.scalar(select(User.name).where(User.email == email))
        return "nobody" if name is None else name


async def invite(engine, words):
    try:
        async with engine.connect() as connection:
            names = await connection.scalars(select(User.name).order_by(User.name))
            return [words.format(name=name) for name in names]
    finally:
        await engine.dispose()


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
