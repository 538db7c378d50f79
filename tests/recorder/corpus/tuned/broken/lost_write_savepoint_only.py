"""A repository that saves an order and its lines, the lines inside a savepoint.

The savepoint is released and the transaction around it is never committed: nothing is saved.
"""

import asyncio
import os

from sqlalchemy import Integer, String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "lost_write_savepoint_only"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    customer: Mapped[str] = mapped_column(String(30))


class Orders:
    def __init__(self, session):
        self.session = session

    async def save(self, *customers):
        self.session.add(Order(customer=customers[0]))
        await self.session.flush()
        async with self.session.begin_nested():
            self.session.add_all(Order(customer=customer) for customer in customers[1:])
            await self.session.flush()  # finding: lost-write


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions() as session:
        await Orders(session).save("ada", "grace", "linus")
    async with sessions() as session:
        print("orders:", await session.scalar(select(func.count(Order.id))))
    await engine.dispose()


asyncio.run(main())
