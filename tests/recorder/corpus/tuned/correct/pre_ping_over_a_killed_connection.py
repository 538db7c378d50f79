"""A service whose pool pings before use: a connection closed by the server is replaced, and no request fails."""

# drivers: asyncmy aiomysql
# needs: kill

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


async def close_from_the_server(number):
    admin = create_async_engine(os.environ["DATABASE_URL"])
    async with admin.connect() as conn:
        await conn.execute(text(f"KILL {number}"))
    await admin.dispose()


async def connection_id(sessions):
    async with sessions() as session:
        return await session.scalar(text("SELECT CONNECTION_ID()"))


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, pool_pre_ping=True)
    sessions = async_sessionmaker(engine)
    first = await connection_id(sessions)
    await close_from_the_server(first)
    print("another connection:", await connection_id(sessions) != first)
    await engine.dispose()


asyncio.run(main())
