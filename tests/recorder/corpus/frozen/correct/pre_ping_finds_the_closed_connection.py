"""A poller with pool_pre_ping, whose idle connection is closed by the server between two polls."""

# drivers: asyncmy aiomysql
# needs: kill

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


async def poll(engine: AsyncEngine) -> int:
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT CONNECTION_ID()"))


async def server_times_out(connection: int) -> None:
    administrator = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
    async with administrator.connect() as conn:
        await conn.execute(text(f"KILL {connection}"))
    await administrator.dispose()


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, pool_pre_ping=True)
    first = await poll(engine)
    await server_times_out(first)
    second = await poll(engine)
    assert first != second
    print("polled with two connections")
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
