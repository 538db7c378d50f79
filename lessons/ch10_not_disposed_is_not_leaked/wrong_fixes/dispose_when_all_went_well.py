"""
Dispose of the engine when the invitations are written.

Fails: test_a_wrong_text_leaves_nothing_idle

Because: a text with a wrong name in it raises, and the line that disposes is not reached. The way out on which
nothing goes wrong is the one that everybody thinks of.
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
    await engine.dispose()
    return invitations


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
