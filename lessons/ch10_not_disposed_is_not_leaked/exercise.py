"""A scheduler calls `run(find, …)` and `run(invite, …)`. Both leave a connection behind: mend both."""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

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
    return asyncio.run(job(create_async_engine(database_url), argument))
