"""A script that sends the weekly mails, with a session for each reader that is closed in order.

The engine is never disposed, so its idle connection is cut off when the loop ends: aiomysql complains at
exit, and the server counts an aborted client.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine


def connect() -> AsyncEngine:
    return create_async_engine(os.environ["DATABASE_URL"], pool_recycle=3600)  # finding: engine-not-disposed


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as conn:
        yield conn


async def mail_for(engine: AsyncEngine, reader: str) -> str:
    async with reading(engine) as conn:
        return await conn.scalar(text("SELECT UPPER(:reader)"), {"reader": reader})


async def main() -> None:
    engine = connect()
    for reader in ("ada", "grace"):
        print("mail for", await mail_for(engine, reader))


asyncio.run(main())
