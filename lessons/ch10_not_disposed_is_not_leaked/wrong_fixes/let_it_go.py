"""
Dispose of the engine with `close=False`, which needs no `await`.

Fails: test_invitations_leave_nothing_idle

Because: `close=False` means what it says: the engine lets go of its pool, and nothing is closed. It is for a
forked child, whose connections belong to its parent.
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
    try:
        async with engine.connect() as connection:
            names = await connection.scalars(select(User.name).order_by(User.name))
            return [words.format(name=name) for name in names]
    finally:
        engine.sync_engine.dispose(close=False)


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
