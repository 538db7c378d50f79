"""A queue consumer that sets up its own database access for each message.

Each message makes an engine again and leaves a session of it open, so the number of connections on the
server grows with the number of messages.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


def open_session() -> AsyncSession:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2)  # finding: registry-rebuilt
    return AsyncSession(engine)


async def price_of(article: int) -> int:
    session = open_session()
    row = (await session.execute(text("SELECT :article * 10 AS price"), {"article": article})).one()
    return row.price


async def consume(queue: asyncio.Queue[int | None]) -> int:
    total = 0
    while (article := await queue.get()) is not None:
        total += await price_of(article)
        queue.task_done()
    return total


async def main() -> None:
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    consumer = asyncio.create_task(consume(queue), name="consumer")
    for article in (1, 2, 3, 4):
        await queue.put(article)
    await queue.put(None)
    print("sum", await consumer)


if __name__ == "__main__":
    asyncio.run(main())
