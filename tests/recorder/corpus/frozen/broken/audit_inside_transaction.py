"""A bank's transfer, which writes its audit line with a second connection while the first one is in use.

With one connection in the pool the transfer waits for itself, and the audit line fails after the time-out.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine


class Audit:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def write(self, line: str) -> int:
        async with self.engine.connect() as conn:  # finding: nested-checkout
            return await conn.scalar(text("SELECT LENGTH(:line)"), {"line": line})


async def transfer(engine: AsyncEngine, audit: Audit, amount: int) -> str:
    async with AsyncSession(engine) as session, session.begin():
        balance = await session.scalar(text("SELECT 100"))
        try:
            await audit.write(f"{amount} of {balance}")
        except PoolTimeout:
            return "transferred without an audit line"
        return "transferred"


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=0.3)
    print(await transfer(engine, Audit(engine), 25))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
