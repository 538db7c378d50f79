"""
Dispose of the engine before a stranger's answer too, so that nothing is left of it.

Fails: test_a_stranger_costs_no_connection

Because: `dispose()` closes what is in the pool. A stranger's connection was never put back, so it is not there to
be closed: there may be two calls of `dispose()` or ten.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


async def find(engine, email):
    try:
        connection = await engine.connect()
        name = await connection.scalar(select(User.name).where(User.email == email))
        if name is None:
            await engine.dispose()
            return "nobody"
        await connection.close()
        return name
    finally:
        await engine.dispose()


async def invite(engine, words):
    try:
        async with engine.connect() as connection:
            names = await connection.scalars(select(User.name).order_by(User.name))
            return [words.format(name=name) for name in names]
    finally:
        await engine.dispose()


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
