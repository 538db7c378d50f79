"""Let each do its own: the jobs give back what they borrow, and whoever makes the engine disposes of it."""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


async def find(engine, email):
    async with engine.connect() as connection:
        name = await connection.scalar(select(User.name).where(User.email == email))
        return "nobody" if name is None else name


async def invite(engine, words):
    async with engine.connect() as connection:
        names = await connection.scalars(select(User.name).order_by(User.name))
        return [words.format(name=name) for name in names]


async def alone(job, database_url, argument):
    engine = create_async_engine(database_url)
    try:
        return await job(engine, argument)
    finally:
        await engine.dispose()


def run(job, database_url, argument):
    return asyncio.run(alone(job, database_url, argument))
