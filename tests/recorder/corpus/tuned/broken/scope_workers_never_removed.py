"""A queue with three workers, each with its own session from one scoped registry.

Every worker commits and none removes its session: the registry keeps the session of each task that has ended.
"""

import asyncio
import os

from sqlalchemy import Integer, func, select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Reading(Base):
    __tablename__ = "scope_workers_never_removed"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(Integer)


class Workers:
    def __init__(self, engine):
        self.current = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)
        self.queue = asyncio.Queue()
        self.writing = asyncio.Lock()

    async def work(self):
        session = self.current()  # finding: scope-mismatch
        while (value := await self.queue.get()) is not None:
            async with self.writing:
                session.add(Reading(value=value))
                await session.commit()

    async def run(self, values):
        for value in values:
            self.queue.put_nowait(value)
        tasks = [asyncio.create_task(self.work(), name=f"worker-{number}") for number in range(3)]
        for _ in tasks:
            self.queue.put_nowait(None)
        await asyncio.gather(*tasks)
        return len(self.current.registry.registry)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    workers = Workers(engine)
    print("sessions kept:", await workers.run(range(6)))
    async with engine.connect() as conn:
        print("readings:", await conn.scalar(select(func.count(Reading.id))))
    await engine.dispose()
    return workers


kept = asyncio.run(main())
