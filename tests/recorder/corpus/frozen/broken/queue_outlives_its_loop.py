"""A mail queue at module level that is emptied by a consumer, first on start and then on each reload.

The queue belongs to the loop in which the first consumer waited, so the consumer of the second loop
fails as soon as it has to wait.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

outbox: asyncio.Queue[str] = asyncio.Queue()


async def next_mail() -> str:
    return await outbox.get()  # finding: primitive-crossed-loops


async def consume(session: AsyncSession, count: int) -> list[int]:
    sent = []
    while len(sent) < count:
        address = await next_mail()
        sent.append(await session.scalar(text("SELECT LENGTH(:address)"), {"address": address}))
    return sent


async def application(addresses: list[str]) -> list[int]:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        async with AsyncSession(engine) as session, asyncio.TaskGroup() as group:
            consumer = group.create_task(consume(session, len(addresses)))
            await asyncio.sleep(0)
            for address in addresses:
                outbox.put_nowait(address)
        return consumer.result()
    finally:
        await engine.dispose()


def main() -> None:
    for addresses in (["ada@example.org"], ["grace@example.org"]):
        try:
            print(asyncio.run(application(addresses)))
        except ExceptionGroup as group:
            print("failed:", group.exceptions[0])


if __name__ == "__main__":
    main()
