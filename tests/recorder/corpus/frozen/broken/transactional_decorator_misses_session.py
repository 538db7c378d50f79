"""A service layer with a decorator that commits the current session after each function.

The helper for the current session makes its registry anew at each call, so the decorator commits a session
of its own, and the member that was added is gone.
"""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
factory = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "transactional_members"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


def current():
    return async_scoped_session(factory, scopefunc=asyncio.current_task)  # finding: registry-rebuilt


def transactional(function):
    async def run(*args):
        result = await function(*args)
        await current().commit()
        await current().remove()
        return result

    return run


@transactional
async def join(name: str) -> int:
    session, member = current(), Member(name=name)
    session.add(member)
    await session.flush()
    return member.id


async def main() -> None:
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    print("joined as", await join("ada"))
    async with factory() as session:
        print("members:", await session.scalar(select(func.count()).select_from(Member)))
    await engine.dispose()


asyncio.run(main())
