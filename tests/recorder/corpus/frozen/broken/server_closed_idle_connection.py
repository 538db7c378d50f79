"""A poller whose database server closes connections that have been idle for a while.

The pool hands the closed connection out without a look at it, so the first poll after the pause fails with
"server has gone away" or "lost connection", and the next one works.
"""

# drivers: asyncmy aiomysql
# needs: kill

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool


class Poller:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def poll(self) -> int:
        async with AsyncSession(self.engine) as session:
            return await session.scalar(text("SELECT CONNECTION_ID()"))  # finding: stale-connection


async def server_times_out(connection: int) -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
    async with engine.connect() as conn:
        await conn.execute(text(f"KILL {connection}"))
    await engine.dispose()


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1)
    poller = Poller(engine)
    await server_times_out(await poller.poll())
    for number in (1, 2):
        try:
            print(f"poll {number}:", await poller.poll() > 0)
        except DBAPIError as error:
            print(f"poll {number}:", error.orig)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
