"""A seat reservation behind a web view, with a repository that flushes to learn the new id.

Nobody commits, so the view answers 201 with an id whose row is gone when the session closes.
"""

import asyncio
import os

from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Reservation(Base):
    __tablename__ = "reserve_flushes_reservations"

    id: Mapped[int] = mapped_column(primary_key=True)
    seat: Mapped[str] = mapped_column(String(8))


class Reservations:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, seat: str) -> int:
        reservation = Reservation(seat=seat)
        self.session.add(reservation)
        await self.session.flush()  # finding: lost-write
        return reservation.id

    async def count(self) -> int:
        return await self.session.scalar(select(func.count()).select_from(Reservation)) or 0


async def post_reservation(sessions: async_sessionmaker[AsyncSession], seat: str) -> tuple[int, int]:
    async with sessions() as session:
        return 201, await Reservations(session).add(seat)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    for seat in ("12A", "12B"):
        print(*await post_reservation(sessions, seat))
    async with sessions() as session:
        print("rows:", await Reservations(session).count())
    await engine.dispose()


asyncio.run(main())
