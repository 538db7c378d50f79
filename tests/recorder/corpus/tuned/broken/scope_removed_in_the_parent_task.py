"""A web application whose middleware removes the scoped session after each request.

The handler runs in a task of its own, so the middleware removes another session than the handler's, which
stays open.
"""

import asyncio
import os

from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
db = async_scoped_session(async_sessionmaker(engine, expire_on_commit=False), scopefunc=asyncio.current_task)


class Base(DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "scope_removed_in_the_parent_task"
    path: Mapped[str] = mapped_column(String(20), primary_key=True)
    body: Mapped[str] = mapped_column(String(50))


async def show(path):
    page = await db.scalar(select(Page).where(Page.path == path))  # finding: scope-mismatch
    return page.body


async def with_cleanup(handler, *args):
    try:
        return await asyncio.create_task(handler(*args), name="handler")
    finally:
        await db.remove()


async def main():
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    db.add(Page(path="/", body="welcome"))
    await db.commit()
    await db.remove()
    print(await with_cleanup(show, "/"))
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
