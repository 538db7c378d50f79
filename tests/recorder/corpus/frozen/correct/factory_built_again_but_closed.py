"""A helper that builds a session factory at each call, which is wasteful, and closes and commits each session."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine


@asynccontextmanager
async def session_scope(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    factory = async_sessionmaker(engine, expire_on_commit=False)
    session = factory()
    try:
        yield session
        await session.commit()
    except BaseException:
        await session.rollback()
        raise
    finally:
        await session.close()


async def add_note(engine: AsyncEngine, body: str) -> None:
    async with session_scope(engine) as session:
        await session.execute(text("INSERT INTO factory_built_notes VALUES (:body)"), {"body": body})
        if not body:
            raise ValueError("an empty note")


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS factory_built_notes"))
        await conn.execute(text("CREATE TABLE factory_built_notes (body VARCHAR(80))"))
    for body in ("milk", "", "bread"):
        try:
            await add_note(engine, body)
        except ValueError as error:
            print("refused:", error)
    async with session_scope(engine) as session:
        count = await session.scalar(text("SELECT COUNT(*) FROM factory_built_notes"))
    assert count == 2, count
    await engine.dispose()


asyncio.run(main())
