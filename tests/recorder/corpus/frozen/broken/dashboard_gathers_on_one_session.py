"""A dashboard view that asks for three figures at the same time, on the session of its request.

The session has its connection already, so nothing fails and nobody sees that three tasks use it at once.
"""

import asyncio
import os

from sqlalchemy import Integer, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Sale(Base):
    __tablename__ = "dashboard_gathers_sales"

    id: Mapped[int] = mapped_column(primary_key=True)
    cents: Mapped[int] = mapped_column(Integer)


class Figures:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def figure(self, expression) -> int:
        return await self.session.scalar(select(expression).select_from(Sale))  # finding: session-shared

    async def all(self) -> list[int]:
        wanted = (func.count(Sale.id), func.sum(Sale.cents), func.max(Sale.cents))
        return list(await asyncio.gather(*map(self.figure, wanted)))


async def dashboard(sessions: async_sessionmaker[AsyncSession]) -> dict:
    async with sessions() as session:
        newest = await session.scalar(select(func.max(Sale.id)))
        return {"newest": newest, "figures": [int(figure) for figure in await Figures(session).all()]}


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    sessions = async_sessionmaker(engine)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with sessions.begin() as session:
        session.add_all(Sale(id=number, cents=number * 100) for number in (1, 2, 3))
    print(await dashboard(sessions))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
