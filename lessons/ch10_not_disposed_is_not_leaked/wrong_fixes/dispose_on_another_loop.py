"""
Dispose of the engine after the loop, with an `asyncio.run` of its own.

Fails: test_nothing_is_left_to_the_garbage_collector

Because: the connection belongs to the loop that opened it, and that loop has closed. On another one it can't be
closed in order: the pool writes `Event loop is closed` into the log, and the socket is left to the garbage
collector.
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
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    engine = create_async_engine(database_url)
    try:
        return asyncio.run(job(engine, argument))
    finally:
        asyncio.run(engine.dispose())
