"""
Collect the garbage at the end of each job.

Fails: test_an_email_that_fails_costs_no_connection

Because: an error keeps the frames through which it went, and they keep the connection: it is not garbage while
somebody is told of the error. And where the collector does take a connection it gives nothing back; it tears it
down, and the log complains.
"""

import asyncio
import gc

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


def collect():
    for _ in range(5):
        gc.collect()


async def alone(job, database_url, argument):
    try:
        return await job(create_async_engine(database_url), argument)
    finally:
        collect()


def run(job, database_url, argument):
    try:
        return asyncio.run(alone(job, database_url, argument))
    finally:
        collect()
