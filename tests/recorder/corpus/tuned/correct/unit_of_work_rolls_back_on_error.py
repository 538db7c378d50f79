"""A unit of work that commits when its body succeeds, and rolls back and closes when it raises."""

import asyncio
import os

from sqlalchemy import Integer, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Payment(Base):
    __tablename__ = "unit_of_work_rolls_back_on_error"
    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(Integer)


class UnitOfWork:
    def __init__(self, sessions):
        self.sessions = sessions

    async def __aenter__(self):
        self.session = self.sessions()
        return self.session

    async def __aexit__(self, kind, error, trace):
        try:
            if kind is None:
                await self.session.commit()
            else:
                await self.session.rollback()
        finally:
            await self.session.close()


async def pay(sessions, amount):
    async with UnitOfWork(sessions) as session:
        session.add(Payment(amount=amount))
        await session.flush()
        if amount < 0:
            raise ValueError(f"cannot pay {amount}")


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    for amount in (10, -5, 20):
        try:
            await pay(sessions, amount)
        except ValueError as error:
            print(error)
    async with sessions() as session:
        print("paid:", int(await session.scalar(select(func.sum(Payment.amount)))))
    await engine.dispose()


asyncio.run(main())
