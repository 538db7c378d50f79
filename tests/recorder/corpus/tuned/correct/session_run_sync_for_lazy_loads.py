"""A renderer for synchronous sessions, which loads lazily, called through AsyncSession.run_sync."""

import asyncio
import os

from sqlalchemy import ForeignKey, String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "session_run_sync_for_lazy_loads_author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    books: Mapped[list["Book"]] = relationship()


class Book(Base):
    __tablename__ = "session_run_sync_for_lazy_loads_book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(30))
    author_id: Mapped[int] = mapped_column(ForeignKey(Author.id))


def render(session, number):
    author = session.get(Author, number)
    return f"{author.name}: " + ", ".join(book.title for book in author.books)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions.begin() as session:
        session.add(Author(id=1, name="Ada", books=[Book(title="Notes"), Book(title="Letters")]))
    async with sessions() as session:
        print(await session.run_sync(render, 1))
    await engine.dispose()


asyncio.run(main())
