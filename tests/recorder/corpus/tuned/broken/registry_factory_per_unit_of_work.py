"""A unit of work for orders, used by two services.

It builds its session factory each time it is entered and, when the body fails, forgets to close the session.
"""

import asyncio
import os

from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "registry_factory_per_unit_of_work"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    orders: Mapped[int] = mapped_column(default=0)


class UnitOfWork:
    def __init__(self, engine):
        self.engine = engine

    async def __aenter__(self):
        make = async_sessionmaker(self.engine)  # finding: registry-rebuilt
        self.session = make()
        return self

    async def __aexit__(self, kind, error, trace):
        if kind is None:
            await self.session.commit()
            await self.session.close()


async def order(uow, name):
    async with uow:
        customer = await uow.session.scalar(select(Customer).where(Customer.name == name))
        if customer is None:
            raise LookupError(f"no customer {name}")
        customer.orders += 1


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    for name in ("ada", "grace", "linus"):
        try:
            await order(UnitOfWork(engine), name)
        except LookupError as error:
            print(error)
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
