"""A request handler that hands its session to child tasks, one after the other, and awaits each of them."""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Upload(Base):
    __tablename__ = "session_handed_to_awaited_child"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))


async def store(session, name):
    session.add(Upload(name=name))
    await session.flush()


async def count(session):
    return await session.scalar(select(func.count(Upload.id)))


async def handler(session, names):
    for name in names:
        await asyncio.create_task(store(session, name), name=f"store-{name}")
    number = await asyncio.wait_for(count(session), timeout=5)
    await session.commit()
    return number


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine)() as session:
        print("stored:", await handler(session, ["a.png", "b.png"]))
    await engine.dispose()


asyncio.run(main())
