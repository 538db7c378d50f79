"""
Close the connection in `invite` once more, in case it was forgotten.

Fails: test_invitations_leave_nothing_idle

Because: `close()` gives a connection back to its pool, and this one had come back: `async with` saw to it. The
pool keeps it open for the next who asks, and nobody closes the pool.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


async def find(engine, email):
    try:
        async with engine.connect() as connection:
            name = await connection.scalar(select(User.name).where(User.email == email))
            return "nobody" if name is None else name
    finally:
        await engine.dispose()


async def invite(engine, words):
    async with engine.connect() as connection:
        names = await connection.scalars(select(User.name).order_by(User.name))
        invitations = [words.format(name=name) for name in names]
    await connection.close()
    return invitations


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
