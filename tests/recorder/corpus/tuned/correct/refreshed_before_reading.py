"""A wiki that refreshes a page before it reads what the database has made, and loads relationships in advance."""

import asyncio
import datetime
import os

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "refreshed_before_reading_page"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(30))
    changed: Mapped[datetime.datetime | None] = mapped_column(onupdate=func.now())
    links: Mapped[list["Link"]] = relationship()


class Link(Base):
    __tablename__ = "refreshed_before_reading_link"
    id: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(String(30))
    page_id: Mapped[int] = mapped_column(ForeignKey(Page.id))


async def edit(session, body):
    page = await session.scalar(select(Page).options(selectinload(Page.links)))
    page.body = body
    await session.commit()
    await session.refresh(page, ["id", "body", "changed", "links"])
    return f"{page.id} {page.body} {page.changed is not None} {[link.target for link in page.links]}"


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session, session.begin():
        session.add(Page(body="draft", links=[Link(target="/a"), Link(target="/b")]))
    async with AsyncSession(engine) as session:
        print(await edit(session, "final"))
    await engine.dispose()


asyncio.run(main())
