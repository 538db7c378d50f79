"""A repository class of a billing service that makes a session for each of its methods.

Each method builds a session factory and takes a session from it that nobody closes, so every call keeps
one more connection away from the pool.
"""

import asyncio
import os
from decimal import Decimal

from sqlalchemy import Numeric, String, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Invoice(Base):
    __tablename__ = "factory_in_every_call_invoices"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2, asdecimal=False))


class InvoiceRepository:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    def _session(self) -> AsyncSession:
        make_session = async_sessionmaker(bind=self.engine, expire_on_commit=False)  # finding: registry-rebuilt
        return make_session()

    async def of_customer(self, customer: str) -> list[Invoice]:
        session = self._session()
        return list(await session.scalars(select(Invoice).where(Invoice.customer == customer)))

    async def total(self) -> Decimal:
        session = self._session()
        return await session.scalar(select(func.coalesce(func.sum(Invoice.amount), 0)))


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    invoices = InvoiceRepository(engine)
    for customer in ("ada", "grace", "edsger"):
        print(customer, len(await invoices.of_customer(customer)))
    print("total", await invoices.total())
    await engine.dispose()


asyncio.run(main())
