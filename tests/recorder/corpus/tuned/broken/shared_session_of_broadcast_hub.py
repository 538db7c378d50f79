"""A WebSocket-like hub that keeps one session for all its clients and commits when it is closed.

The clients speak at the same time, so their inserts run into each other on one session.
"""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

metadata = MetaData()
lines = Table(
    "shared_session_of_broadcast_hub",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("who", String(20)),
)


class Hub:
    def __init__(self, engine):
        self.session = AsyncSession(engine)

    async def open(self):
        return await self.session.scalar(select(func.count(lines.c.id)))

    async def say(self, who):
        await self.session.execute(insert(lines).values(who=who))  # finding: session-shared

    async def close(self):
        await self.session.commit()
        await self.session.close()


async def client(hub, who):
    for _ in range(2):
        await hub.say(who)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
    hub = Hub(engine)
    print("before:", await hub.open())
    await asyncio.gather(client(hub, "ada"), client(hub, "grace"))
    await hub.close()
    async with engine.connect() as conn:
        print("after:", await conn.scalar(select(func.count(lines.c.id))))
    await engine.dispose()


asyncio.run(main())
