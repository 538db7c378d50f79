"""A request handler that starts a task to write statistics and answers without waiting for it.

The loop ends while the task is inside its session, before the commit: the row is lost.
"""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool


class Base(DeclarativeBase):
    pass


class Hit(Base):
    __tablename__ = "lost_task_fire_and_forget"
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(30))


class App:
    def __init__(self, url):
        self.engine = create_async_engine(url, poolclass=NullPool)
        self.sessions = async_sessionmaker(self.engine)
        self.location = asyncio.Queue()
        self.statistics = asyncio.Semaphore(0)
        self.tasks = set()

    async def record(self, path):
        async with self.sessions() as session:
            session.add(Hit(path=path))
            await session.flush()  # finding: lost-task
            self.statistics.release()
            await self.location.get()
            await session.commit()

    async def handle(self, path):
        self.tasks.add(asyncio.create_task(self.record(path)))
        return f"page {path}"


async def main(app):
    async with app.engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    print(await app.handle("/index"))
    await app.statistics.acquire()


async def count(app):
    async with app.sessions() as session:
        return await session.scalar(select(func.count(Hit.id)))


app = App(os.environ["DATABASE_URL"])
asyncio.run(main(app))
print("hits:", asyncio.run(count(app)))
