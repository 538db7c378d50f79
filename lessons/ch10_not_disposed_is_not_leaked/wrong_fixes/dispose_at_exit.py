"""
Dispose of the engine when the program exits.

Fails: test_invitations_leave_nothing_idle

Because: until the program exits, each run leaves one more connection on the server. And at the exit it is too
late: the loops that opened them have closed long ago.
"""

import asyncio
import atexit

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
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    engine = create_async_engine(database_url)
    atexit.register(lambda: asyncio.run(engine.dispose()))
    return asyncio.run(job(engine, argument))
