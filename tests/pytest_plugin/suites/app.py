"""What the suites test: on the servers named in DATABASE_URL, or on a file of SQLite's."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

FOLDER = tempfile.TemporaryDirectory(prefix="labkit-")
URL = os.environ.get("DATABASE_URL", f"sqlite+aiosqlite:///{Path(FOLDER.name, 'suite.db')}")

kept: list[AsyncSession] = []


def make_engine() -> AsyncEngine:
    return create_async_engine(URL)


async def count_users(session: AsyncSession) -> int:
    return (await session.execute(text("SELECT 1"))).scalar_one()


async def forgets(engine: AsyncEngine) -> None:
    """Leave a connection to the garbage collector."""
    session = AsyncSession(engine)
    await count_users(session)


async def keeps(engine: AsyncEngine) -> None:
    """Keep a connection for ever."""
    session = AsyncSession(engine)
    kept.append(session)
    await count_users(session)


async def behaves(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session:
        await count_users(session)
