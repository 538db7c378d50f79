"""
Dispose of the engine as soon as the names are there.

Fails: test_invitations_leave_nothing_idle

Because: at that moment the connection is still out. `dispose()` closes an empty pool and begins a new one; a
moment later the connection comes back to the old pool, which nobody will ever dispose of. First everything comes
back, then dispose.
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
        try:
            names = await connection.scalars(select(User.name).order_by(User.name))
            return [words.format(name=name) for name in names]
        finally:
            await engine.dispose()


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
