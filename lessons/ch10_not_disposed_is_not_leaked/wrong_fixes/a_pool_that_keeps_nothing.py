"""
Take `NullPool` for both, so that there is nothing to dispose of.

Fails: test_a_stranger_costs_no_connection

Because: `NullPool` closes what comes back. It mends the job that never disposed, and can't mend the other: what a
stranger borrowed does not come back, and this pool does not even count it.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from labkit import User


async def find(engine, email):
    try:
        connection = await engine.connect()
        name = await connection.scalar(select(User.name).where(User.email == email))
        if name is None:
            return "nobody"
        await connection.close()
        return name
    finally:
        await engine.dispose()


async def invite(engine, words):
    async with engine.connect() as connection:
        names = await connection.scalars(select(User.name).order_by(User.name))
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url, poolclass=NullPool), argument))
