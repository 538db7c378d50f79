"""A command-line import of readings, which commits each full batch.

The rows after the last full batch are inserted and never committed, so a few rows are missing at the end.
"""

import argparse
import asyncio
import os
from collections.abc import Iterator

from sqlalchemy import Column, Float, Integer, MetaData, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

metadata = MetaData()
readings = Table("import_drops_readings", metadata, Column("sensor", Integer), Column("value", Float))


def read_file(rows: int) -> Iterator[dict]:
    for number in range(rows):
        yield {"sensor": number % 3, "value": number / 2}


async def load(session: AsyncSession, rows: Iterator[dict], batch_size: int) -> int:
    batch, loaded = [], 0
    for row in rows:
        batch.append(row)
        loaded += 1
        if len(batch) == batch_size:
            await session.execute(insert(readings), batch)
            await session.commit()
            batch = []
    if batch:
        await session.execute(insert(readings), batch)  # finding: lost-write
    return loaded


async def run(rows: int, batch_size: int) -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
    async with AsyncSession(engine) as session:
        loaded = await load(session, read_file(rows), batch_size)
    async with engine.connect() as conn:
        stored = await conn.scalar(select(func.count()).select_from(readings))
    print(f"loaded {loaded}, stored {stored}")
    await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=10)
    options = parser.parse_args()
    asyncio.run(run(options.rows, options.batch_size))
