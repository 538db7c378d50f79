"""A crawler with more workers than connections, in which each worker waits a moment for its turn."""

import asyncio
import os
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


async def visit(sessions: async_sessionmaker[AsyncSession], page: int) -> int:
    async with sessions() as session:
        number = await session.scalar(text("SELECT :page + 1"), {"page": page})
        await asyncio.sleep(0.02)
        return number


async def crawl(visit_page, pages: range) -> list[int]:
    async with asyncio.TaskGroup() as group:
        visits = [group.create_task(visit_page(page)) for page in pages]
    return [visit.result() for visit in visits]


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0, pool_timeout=10)
    numbers = await crawl(partial(visit, async_sessionmaker(engine)), range(8))
    assert numbers == list(range(1, 9))
    print(numbers, engine.pool.status())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
