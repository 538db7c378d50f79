"""A server that cancels its handlers on shutdown, between two statements and in the middle of one."""

import asyncio
import os
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine)


async def between(ready: asyncio.Event) -> None:
    async with sessions() as session:
        await session.execute(text("SELECT 1"))
        ready.set()
        await asyncio.Event().wait()


async def in_the_middle(ready: asyncio.Event) -> None:
    async with engine.connect() as conn:
        await conn.execute(text("SELECT 1"))
        ready.set()
        while True:
            await conn.execute(text("SELECT 2"))


async def shut_down(handlers: list[asyncio.Task]) -> None:
    for handler in handlers:
        handler.cancel()
    for handler in handlers:
        with suppress(asyncio.CancelledError):
            await handler


async def main() -> None:
    handlers = []
    for handle in (between, in_the_middle):
        ready = asyncio.Event()
        handlers.append(asyncio.create_task(handle(ready), name=handle.__name__))
        await ready.wait()
    await shut_down(handlers)
    print([handler.cancelled() for handler in handlers], "out:", engine.pool.checkedout())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
