"""A bulk import that flushes its rows in packets.

It flushes every packet and never commits: the log says 5 rows, the table has none.
"""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class City(Base):
    __tablename__ = "lost_write_bulk_import"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))


def packets(names, size):
    for start in range(0, len(names), size):
        yield names[start : start + size]


async def load(engine, names):
    done = 0
    async with AsyncSession(engine) as session:
        for packet in packets(names, 2):
            session.add_all(City(name=name) for name in packet)
            await session.flush()  # finding: lost-write
            done += len(packet)
    return done


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    print("loaded:", await load(engine, ["Bern", "Bonn", "Brno", "Bari", "Bath"]))
    async with AsyncSession(engine) as session:
        print("in the table:", await session.scalar(select(func.count(City.id))))
    await engine.dispose()


asyncio.run(main())
