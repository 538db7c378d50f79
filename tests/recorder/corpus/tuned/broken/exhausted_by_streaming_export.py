"""An export that streams a table to a slow reader, in a process that also answers a health check.

The export keeps the only connection while its reader pauses; the health check times out in the pool.
"""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

metadata = MetaData()
items = Table("exhausted_by_streaming_export", metadata, Column("id", Integer, primary_key=True))


async def export(engine, queue, pause):
    async with engine.connect() as conn, conn.stream(select(items.c.id).order_by(items.c.id)) as rows:
        async for row in rows:
            await queue.put(row.id)
            await pause.wait()
    await queue.put(None)


async def healthy(engine):
    try:
        async with engine.connect() as conn:  # finding: pool-exhausted
            return await conn.scalar(text("SELECT 1")) == 1
    except PoolTimeout:
        return False


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=0.2)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(items), [{"id": number} for number in range(1, 5)])
    queue, pause = asyncio.Queue(), asyncio.Event()
    task = asyncio.create_task(export(engine, queue, pause))
    exported = [await queue.get()]
    print("healthy:", await healthy(engine))
    pause.set()
    while (number := await queue.get()) is not None:
        exported.append(number)
    await task
    print("exported:", exported)
    await engine.dispose()


asyncio.run(main())
