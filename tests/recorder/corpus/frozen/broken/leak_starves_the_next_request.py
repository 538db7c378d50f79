"""A web view whose error path forgets the session, in front of a pool of two.

After two failed requests the third one waits for the pool in vain, though nobody is at work any more.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0, pool_timeout=0.3)
failed_requests: list[AsyncSession] = []


async def stock_of(session: AsyncSession, article: str) -> int:
    return await session.scalar(
        text("SELECT LENGTH(:article) - 4"), {"article": article}
    )  # finding: leaked-connection


async def order(article: str, amount: int) -> int:
    session = AsyncSession(engine)
    if await stock_of(session, article) < amount:
        failed_requests.append(session)
        return 409
    await session.close()
    return 201


async def browse() -> int:
    try:
        async with engine.connect() as conn:
            return await conn.scalar(text("SELECT 200"))
    except PoolTimeout as error:
        print(str(error)[:60])
        return 503


async def main() -> None:
    print(await order("teapot", 1), await order("cup", 1), await order("jug", 1))
    print(await browse())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
