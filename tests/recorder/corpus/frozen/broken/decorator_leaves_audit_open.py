"""A command handler with a decorator that writes an audit line into a session of its own.

The audit session is neither committed nor closed: the line is missing, and its connection stays out.
"""

import asyncio
import functools
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
new_session = async_sessionmaker(engine)


async def write_audit(session: AsyncSession, event: str) -> None:
    statement = text("INSERT INTO decorator_audit (event) VALUES (:event)")
    await session.execute(statement, {"event": event})  # finding: leaked-connection lost-write


def audited(command):
    @functools.wraps(command)
    async def wrapper(*args, **kwargs):
        result = await command(*args, **kwargs)
        await write_audit(new_session(), f"{command.__name__} {args}")
        return result

    return wrapper


@audited
async def rename(old: str, new: str) -> int:
    async with new_session.begin() as session:
        result = await session.execute(
            text("UPDATE decorator_files SET name = :n WHERE name = :o"), {"n": new, "o": old}
        )
        return result.rowcount


async def setup() -> None:
    async with engine.begin() as conn:
        for table, column in (("decorator_audit", "event"), ("decorator_files", "name")):
            await conn.execute(text(f"DROP TABLE IF EXISTS {table}"))
            await conn.execute(text(f"CREATE TABLE {table} ({column} VARCHAR(200))"))
        await conn.execute(text("INSERT INTO decorator_files VALUES ('draft.txt')"))


async def main() -> None:
    await setup()
    print("renamed", await rename("draft.txt", "final.txt"))
    async with engine.connect() as conn:
        print("audit lines", await conn.scalar(text("SELECT COUNT(*) FROM decorator_audit")))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
