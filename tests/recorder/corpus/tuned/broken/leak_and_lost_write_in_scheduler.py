"""A scheduler that runs its due jobs every tick and notes when they ran.

The job's session is neither committed nor closed: the note is lost, and so is the connection.
"""

import asyncio
import os
from functools import partial

from sqlalchemy import String, select, update
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Job(Base):
    __tablename__ = "leak_and_lost_write_in_scheduler"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    runs: Mapped[int] = mapped_column(default=0)


async def run_job(sessions, name):
    session = sessions()
    job = await session.get(Job, name)  # finding: leaked-connection
    await session.execute(update(Job).where(Job.name == name).values(runs=job.runs + 1))  # finding: lost-write


async def tick(due):
    for job in due:
        await job()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with sessions.begin() as session:
        session.add(Job(name="backup"))
    await tick([partial(run_job, sessions, "backup")])
    async with sessions() as session:
        print("runs:", await session.scalar(select(Job.runs)))
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
