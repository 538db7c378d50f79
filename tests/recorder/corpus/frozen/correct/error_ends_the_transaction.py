"""A booking service in which a rule that is broken raises inside session.begin() and undoes the booking."""

import asyncio
import os

from sqlalchemy import Integer, String, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class SoldOut(Exception):
    pass


class Base(DeclarativeBase):
    pass


class Booking(Base):
    __tablename__ = "error_ends_bookings"

    guest: Mapped[str] = mapped_column(String(20), primary_key=True)
    beds: Mapped[int] = mapped_column(Integer)


async def book(sessions: async_sessionmaker[AsyncSession], guest: str, beds: int) -> None:
    async with sessions() as session, session.begin():
        session.add(Booking(guest=guest, beds=beds))
        await session.flush()
        if (await session.scalar(select(func.sum(Booking.beds)))) > 4:
            raise SoldOut(guest)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    for guest, beds in (("ada", 2), ("ada", 1), ("bob", 3), ("cy", 2)):
        try:
            await book(sessions, guest, beds)
        except (SoldOut, IntegrityError) as error:
            print(guest, "refused:", type(error).__name__)
    async with sessions() as session:
        guests = list(await session.scalars(select(Booking.guest).order_by(Booking.guest)))
    assert guests == ["ada", "cy"], guests
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
