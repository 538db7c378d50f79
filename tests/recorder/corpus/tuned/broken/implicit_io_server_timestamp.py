"""A wiki that stores a change and logs when the page was changed.

The time is made by the database, so after the flush it is unknown here, even with expire_on_commit=False.
"""

import asyncio
import datetime
import os

from sqlalchemy import String, func
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "implicit_io_server_timestamp"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(30))
    changed: Mapped[datetime.datetime | None] = mapped_column(onupdate=func.now())


async def edit(session, number, body):
    page = await session.get(Page, number)
    page.body = body
    await session.flush()
    try:
        line = f"{page.id} {page.changed:%H:%M}"  # finding: implicit-io
    except (MissingGreenlet, StatementError) as error:
        line = f"{page.id} at an unknown time: {type(error).__name__}"
    await session.commit()
    return line


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with sessions.begin() as session:
        session.add(Page(id=1, body="draft"))
    async with sessions() as session:
        print(await edit(session, 1, "final"))
    await engine.dispose()


asyncio.run(main())
