"""
Keep one loop and one engine for all jobs, so that neither has an end.

Fails: test_invitations_leave_nothing_idle

Because: what has no end closes nothing. In a program with one loop an idle connection would be no fault; here a
job has returned, and the server still lists its connection.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User

loop = asyncio.new_event_loop()
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
    async with engine.connect() as connection:
        names = await connection.scalars(select(User.name).order_by(User.name))
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    return loop.run_until_complete(job(the_engine(database_url), argument))
