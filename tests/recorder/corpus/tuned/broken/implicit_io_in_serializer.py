"""A web handler that reads an author and turns it into JSON with a plain function.

The function walks over a relationship that was not loaded: the answer is a 500 with MissingGreenlet.
"""

import asyncio
import json
import os

from sqlalchemy import ForeignKey, String
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "implicit_io_in_serializer_author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    books: Mapped[list["Book"]] = relationship()


class Book(Base):
    __tablename__ = "implicit_io_in_serializer_book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(30))
    author_id: Mapped[int] = mapped_column(ForeignKey(Author.id))


def as_json(author):
    titles = [book.title for book in author.books]  # finding: implicit-io
    return json.dumps({"name": author.name, "books": titles})


async def handler(sessions, number):
    async with sessions() as session:
        author = await session.get(Author, number)
        try:
            return 200, as_json(author)
        except SQLAlchemyError as error:
            return 500, type(error).__name__


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions.begin() as session:
        session.add(Author(id=1, name="Ada", books=[Book(title="Notes")]))
    print(*await handler(sessions, 1))
    await engine.dispose()


asyncio.run(main())
