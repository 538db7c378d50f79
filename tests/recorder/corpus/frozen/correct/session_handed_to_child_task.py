"""A web handler that gives its session to a task, waits for that task, and goes on with the session."""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Ticket(Base):
    __tablename__ = "session_handed_tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))


async def store(session: AsyncSession, subject: str) -> int:
    ticket = Ticket(subject=subject)
    session.add(ticket)
    await session.flush()
    return ticket.id


async def handler(session: AsyncSession, subject: str) -> tuple[int, int]:
    before = await session.scalar(select(func.count()).select_from(Ticket))
    child = asyncio.create_task(store(session, subject), name="store")
    number = await child
    await session.commit()
    return before, number


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    for subject in ("no light", "no sound"):
        async with sessions() as session:
            print(await handler(session, subject))
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 2
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
