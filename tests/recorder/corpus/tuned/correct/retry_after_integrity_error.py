"""A service that makes short names: when one is taken, it rolls back and tries another in the same session."""

import asyncio
import os

from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Link(Base):
    __tablename__ = "retry_after_integrity_error"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    target: Mapped[str] = mapped_column(String(80))


async def shorten(session, wanted, target):
    for attempt in range(5):
        name = f"{wanted}{attempt or ''}"
        session.add(Link(name=name, target=target))
        try:
            await session.commit()
        except IntegrityError:
            await session.rollback()
        else:
            return name
    raise LookupError(wanted)


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    for number in range(3):
        async with sessions() as session:
            print(await shorten(session, "doc", f"https://example.org/{number}"))
    async with sessions() as session:
        print("links:", (await session.scalars(select(Link.name).order_by(Link.name))).all())
    await engine.dispose()


asyncio.run(main())
