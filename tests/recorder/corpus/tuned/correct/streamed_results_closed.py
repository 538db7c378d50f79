"""An export that streams a table, and a preview that ends its stream early, both inside async with."""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

metadata = MetaData()
rows = Table("streamed_results_closed", metadata, Column("id", Integer, primary_key=True))
QUERY = select(rows.c.id).order_by(rows.c.id)


async def export(engine):
    async with AsyncSession(engine) as session:
        result = await session.stream_scalars(QUERY)
        return [number async for number in result]


async def preview(engine, limit):
    shown = []
    async with engine.connect() as conn, conn.stream(QUERY) as result:
        async for row in result:
            shown.append(row.id)
            if len(shown) == limit:
                break
    return shown


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(rows), [{"id": number} for number in range(1, 30)])
    print("exported:", len(await export(engine)), "preview:", await preview(engine, 3))
    await engine.dispose()


asyncio.run(main())
