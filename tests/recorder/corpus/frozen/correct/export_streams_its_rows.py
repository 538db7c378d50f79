"""An export that streams rows, once through a session and once through a connection, and reads to the end."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

metadata = MetaData()
parts = Table("export_streams_parts", metadata, Column("id", Integer, primary_key=True), Column("name", String(20)))


class Exporter:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def lines(self) -> AsyncIterator[str]:
        async with AsyncSession(self.engine) as session:
            async for row in await session.stream(select(parts).order_by(parts.c.id)):
                yield f"{row.id};{row.name}"

    async def names(self) -> list[str]:
        async with self.engine.connect() as conn:
            result = await conn.stream_scalars(select(parts.c.name).order_by(parts.c.id))
            return [name async for name in result]


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(parts), [{"name": f"part {number}"} for number in range(5)])
    exporter = Exporter(engine)
    async with aclosing(exporter.lines()) as lines:
        exported = [line async for line in lines]
    assert len(exported) == len(await exporter.names()) == 5
    print(exported[0], exported[-1])
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
