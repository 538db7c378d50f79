"""
Close the connection after the answer, and after the one error that was seen.

Fails: test_what_the_server_refuses_costs_no_connection

Because: the server has errors of its own: a table that is gone, a lock that is not given, a lost connection. Only
what ends on every way out, such as `async with`, has thought of them all.
"""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


async def find(engine, email):
    try:
        connection = await engine.connect()
        try:
            name = await connection.scalar(select(User.name).where(User.email == email))
        except UnicodeEncodeError:
            await connection.close()
            raise
        await connection.close()
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
