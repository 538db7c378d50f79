"""
Keep one engine for all jobs, and dispose of it at the end of each, in the loop of that job.

`dispose()` does not end an engine. It closes what is in the pool and begins a new one, which is empty and so
belongs to no loop yet.
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
    return asyncio.run(job(the_engine(database_url), argument))
