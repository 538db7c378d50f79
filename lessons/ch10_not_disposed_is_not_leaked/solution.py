"""
Two faults, two cures. `find` loses a connection: a stranger's, and one whose question fails. Its `dispose()` was
there all the time and could not help, since it closes what is in the pool, and what is lost is not. `async with`
gives the connection back on every way out.

`invite` loses nothing: its connection comes back, lies idle in the pool, and nobody closes the pool. `dispose()`
in a `finally` does, also when a text is wrong; and it stands outside the `async with`, so that all has come back
by then. Both run before the loop ends, inside the coroutine that `asyncio.run` runs.
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
        await engine.dispose()


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
