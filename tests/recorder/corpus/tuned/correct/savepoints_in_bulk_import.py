"""A bulk import that puts each row into a savepoint, gives up the bad rows and commits the rest at the end."""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "savepoints_in_bulk_import"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(50), unique=True)


async def load(session, emails):
    bad = []
    session.add(Person(email="first@example.org"))
    await session.flush()
    for email in emails:
        try:
            async with session.begin_nested():
                session.add(Person(email=email))
        except IntegrityError:
            bad.append(email)
    await session.commit()
    return bad


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        print("bad:", await load(session, ["ada@example.org", "first@example.org", "grace@example.org"]))
    async with AsyncSession(engine) as session:
        print("people:", await session.scalar(select(func.count(Person.id))))
    await engine.dispose()


asyncio.run(main())
