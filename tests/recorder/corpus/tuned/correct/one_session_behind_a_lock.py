"""A WebSocket-like hub with one session for all its clients, each of whom uses it only inside the hub's lock."""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

metadata = MetaData()
lines = Table(
    "one_session_behind_a_lock", metadata, Column("id", Integer, primary_key=True), Column("who", String(20))
)


class Hub:
    def __init__(self, session):
        self.session = session
        self.lock = asyncio.Lock()

    async def say(self, who):
        async with self.lock:
            await self.session.execute(insert(lines).values(who=who))
            await self.session.commit()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
    async with AsyncSession(engine) as session:
        hub = Hub(session)
        await asyncio.gather(*(hub.say(who) for who in ("ada", "grace", "linus")))
        print("lines:", await session.scalar(select(func.count(lines.c.id))))
    await engine.dispose()


asyncio.run(main())
