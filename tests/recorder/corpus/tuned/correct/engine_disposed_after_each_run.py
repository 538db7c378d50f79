"""Celery-like jobs on one module-level engine, which every job disposes of before its loop ends."""

import asyncio
import functools
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine)


def job(function):
    async def run_and_dispose(*args):
        try:
            return await function(*args)
        finally:
            await engine.dispose()

    @functools.wraps(function)
    def run(*args):
        return asyncio.run(run_and_dispose(*args))

    return run


@job
async def triple(number):
    async with sessions() as session:
        return int(await session.scalar(text("SELECT 3 * :number"), {"number": number}))


print([triple(number) for number in (1, 2, 3)])
