"""A service that writes an audit line in a session of its own, so that a rollback does not take it away.

The audit session is opened while the caller's session holds the only connection of the pool: it waits for itself.
"""

import asyncio
import functools
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
audits = Table(
    "nested_audit_session", metadata, Column("id", Integer, primary_key=True), Column("what", String(30))
)
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=0.3)
sessions = async_sessionmaker(engine)


def audited(function):
    @functools.wraps(function)
    async def wrapper(session, *args):
        answer = await function(session, *args)
        async with sessions.begin() as own:
            await own.execute(insert(audits).values(what=function.__name__))  # finding: nested-checkout
        return answer

    return wrapper


@audited
async def count(session):
    return await session.scalar(select(func.count(audits.c.id)))


async def main():
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
    try:
        async with sessions() as session:
            print("audits:", await count(session))
    except PoolTimeout as error:
        print("no audit:", type(error).__name__)
    await engine.dispose()


asyncio.run(main())
