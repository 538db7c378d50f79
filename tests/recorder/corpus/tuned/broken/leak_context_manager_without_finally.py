"""A repository that reads through a context manager written with contextlib.

The close stands after the yield without a finally: when the body raises, the session is left open.
"""

import asyncio
import os
from contextlib import asynccontextmanager

from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "leak_context_manager_without_finally"
    isbn: Mapped[str] = mapped_column(String(20), primary_key=True)
    title: Mapped[str] = mapped_column(String(80))


class Books:
    def __init__(self, engine):
        self.engine = engine

    @asynccontextmanager
    async def reading(self):
        session = AsyncSession(self.engine)
        yield session
        await session.close()

    async def title(self, isbn):
        async with self.reading() as session:
            book = await session.get(Book, isbn)  # finding: leaked-connection
            return book.title

    async def count(self):
        async with self.reading() as session:
            return len((await session.scalars(select(Book))).all())


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    books = Books(engine)
    print("books:", await books.count())
    try:
        print(await books.title("978-0"))
    except AttributeError as error:
        print("no such book:", error)
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
