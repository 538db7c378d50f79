"""A service that is idle for so long that the server closes its pooled connection.

The next request is given this connection from the pool and fails with "server has gone away".
"""

# drivers: asyncmy aiomysql
# needs: kill

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


async def close_from_the_server(number):
    admin = create_async_engine(os.environ["DATABASE_URL"])
    async with admin.connect() as conn:
        await conn.execute(text(f"KILL {number}"))
    await admin.dispose()


async def warm(sessions):
    async with sessions() as session:
        return await session.scalar(text("SELECT CONNECTION_ID()"))


async def request(sessions):
    try:
        async with sessions() as session:
            return await session.scalar(text("SELECT 5"))  # finding: stale-connection
    except OperationalError as error:
        return f"500 {type(error).__name__}"


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1)
    sessions = async_sessionmaker(engine)
    await close_from_the_server(await warm(sessions))
    print("first:", await request(sessions))
    print("second:", await request(sessions))
    await engine.dispose()


asyncio.run(main())
