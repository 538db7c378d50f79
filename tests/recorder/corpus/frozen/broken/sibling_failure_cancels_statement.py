"""A nightly job that reads two tables in a task group, each with a session that is closed by hand.

One reader fails, so the group cancels the other one in the middle of its statement: its connection is lost
and its session is never closed.
"""

# drivers: asyncmy aiomysql
# needs: row-locks

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine


async def prepare(session: AsyncSession) -> None:
    await session.execute(text("SET SESSION innodb_lock_wait_timeout = 4"))  # finding: cancelled-while-holding


async def read_ledger(engine: AsyncEngine, asking: asyncio.Event) -> int:
    session = AsyncSession(engine)
    await prepare(session)
    asking.set()
    query = text("SELECT amount FROM sibling_failure_ledger WHERE id = 1 FOR UPDATE")
    amount = (await session.execute(query)).scalar_one()
    await session.close()
    return amount


async def read_rates(engine: AsyncEngine, asking: asyncio.Event) -> dict[str, float]:
    async with engine.connect() as conn:
        await conn.execute(text("SELECT 1"))
        await asking.wait()
    raise ValueError("the rates of today are not there yet")


async def nightly(engine: AsyncEngine) -> None:
    asking = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(read_ledger(engine, asking), name="ledger")
        group.create_task(read_rates(engine, asking), name="rates")


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS sibling_failure_ledger"))
        await conn.execute(text("CREATE TABLE sibling_failure_ledger (id INTEGER PRIMARY KEY, amount INTEGER)"))
        await conn.execute(text("INSERT INTO sibling_failure_ledger VALUES (1, 100)"))
    async with engine.begin() as booking:
        await booking.execute(text("UPDATE sibling_failure_ledger SET amount = 90 WHERE id = 1"))
        try:
            await nightly(engine)
        except* ValueError as group:
            print(*group.exceptions)
    await engine.dispose()


asyncio.run(main())
