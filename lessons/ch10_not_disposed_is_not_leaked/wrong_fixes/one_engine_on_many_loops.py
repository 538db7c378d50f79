"""
Make the engine once for all jobs, so that there are not so many to dispose of.

Fails: test_a_stranger_is_nobody

Because: the engine outlives the loop of the first job, and with it the idle connection of that loop. The next job
is given that connection, on a loop to which it does not belong.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User

engines = {}


def the_engine(database_url):
    if database_url not in engines:
        engines[database_url] = create_async_engine(database_url)
    return engines[database_url]


async def find(engine, email):
    async with engine.connect() as connection:
        name = await connection.scalar(select(User.name).where(User.email == email))
        return "nobody" if name is None else name


async def invite(engine, words):
    async with engine.connect() as connection:
        names = await connection.scalars(select(User.name).order_by(User.name))
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    return asyncio.run(job(the_engine(database_url), argument))
