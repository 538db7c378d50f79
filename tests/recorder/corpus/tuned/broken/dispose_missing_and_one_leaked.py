"""A background consumer that reads a queue of article numbers and warms a dictionary with them.

Its lookup session is never closed, and the pool, which also has an idle connection, is never disposed of:
two faults.
"""

import asyncio
import os

from sqlalchemy import Integer, String, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Article(Base):
    __tablename__ = "dispose_missing_and_one_leaked"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(String(30))


async def consume(queue, lookup, titles):
    while (number := await queue.get()) is not None:
        article = await lookup.get(Article, number)  # finding: leaked-connection
        titles[number] = article.title


async def publish(queue, numbers):
    for number in numbers:
        await queue.put(number)
    await queue.put(None)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])  # finding: engine-not-disposed
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions.begin() as session:
        session.add_all([Article(id=1, title="one"), Article(id=2, title="two")])
    queue, titles, lookup = asyncio.Queue(), {}, sessions()
    await asyncio.gather(publish(queue, [1, 2]), consume(queue, lookup, titles))
    async with sessions() as session:
        print(titles, "of", len((await session.scalars(select(Article))).all()))
    return lookup


kept = asyncio.run(main())
