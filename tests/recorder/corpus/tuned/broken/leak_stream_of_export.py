"""An export command that shows the first rows of a table as a preview.

The streamed result and its connection are left open after the preview.
"""

import argparse
import asyncio
import os
import sys

from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

metadata = MetaData()
rows = Table("leak_stream_of_export", metadata, Column("id", Integer, primary_key=True))


async def preview(engine, limit):
    conn = await engine.connect()  # finding: leaked-connection
    result = await conn.stream(select(rows.c.id).order_by(rows.c.id))
    shown = []
    async for row in result:
        shown.append(row.id)
        if len(shown) == limit:
            return shown
    await conn.close()
    return shown


async def command(limit):
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(rows), [{"id": number} for number in range(1, 30)])
    print(*await preview(engine, limit))
    await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="export")
    parser.add_argument("--limit", type=int, default=3)
    asyncio.run(command(parser.parse_args(sys.argv[1:]).limit))
