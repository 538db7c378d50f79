"""A web application with one scoped session; every request runs in a task that removes its session itself."""

import asyncio
import functools
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
db = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)


class Base(DeclarativeBase):
    pass


class Comment(Base):
    __tablename__ = "scoped_session_removed_in_own_task"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(30))


def request(handler):
    @functools.wraps(handler)
    async def wrapper(*args):
        try:
            return await handler(*args)
        finally:
            await db.remove()

    return wrapper


@request
async def comment(body):
    db.add(Comment(body=body))
    await db.flush()
    await db.commit()


@request
async def comments():
    return await db.scalar(select(func.count(Comment.id)))


async def main():
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    for body in ("first", "second"):
        await asyncio.create_task(comment(body))
    print("comments:", *await asyncio.gather(comments(), comments()))
    await engine.dispose()


asyncio.run(main())
