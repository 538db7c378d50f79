"""
Give everything back, to a pool that keeps nothing.

With `NullPool` a connection that comes back is closed at once, so none lies idle when the loop ends. What is lent
has to come back all the same: that is the half of the mend which no pool can do.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from labkit import User


async def find(engine, email):
    async with engine.connect() as connection:
        name = await connection.scalar(select(User.name).where(User.email == email))
        return "nobody" if name is None else name


async def invite(engine, words):
    async with engine.connect() as connection:
        names = await connection.scalars(select(User.name).order_by(User.name))
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url, poolclass=NullPool), argument))
