"""Tell an exit stack what is to be done. It does the last thing first: the connection, then its engine."""

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import User


async def connect(stack, engine):
    stack.push_async_callback(engine.dispose)
    connection = await engine.connect()
    stack.push_async_callback(connection.close)
    return connection


async def find(engine, email):
    async with AsyncExitStack() as stack:
        connection = await connect(stack, engine)
        name = await connection.scalar(select(User.name).where(User.email == email))
        return "nobody" if name is None else name


async def invite(engine, words):
    async with AsyncExitStack() as stack:
        connection = await connect(stack, engine)
        names = await connection.scalars(select(User.name).order_by(User.name))
        return [words.format(name=name) for name in names]


def run(job, database_url, argument):
    return asyncio.run(job(create_async_engine(database_url), argument))
