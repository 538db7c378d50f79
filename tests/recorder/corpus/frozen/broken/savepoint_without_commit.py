"""A unit of work that saves each line of a delivery in a savepoint, so that bad lines can be skipped.

The savepoints are released and the outer transaction is never committed, so no line is stored at all.
"""

# drivers: asyncmy aiomysql

import asyncio
import os
from types import TracebackType

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

ADD_LINE = text("INSERT INTO savepoint_lines (article, amount) VALUES (:article, :amount)")


class UnitOfWork:
    def __init__(self, make_session: async_sessionmaker[AsyncSession]) -> None:
        self.make_session = make_session

    async def __aenter__(self) -> "UnitOfWork":
        self.session = self.make_session()
        return self

    async def __aexit__(self, kind: type | None, error: Exception | None, trace: TracebackType | None) -> None:
        await self.session.close()

    async def add_line(self, article: str, amount: int) -> bool:
        try:
            async with self.session.begin_nested():
                await self.session.execute(ADD_LINE, {"article": article, "amount": amount})  # finding: lost-write
        except IntegrityError:
            return False
        return True


async def receive(work: UnitOfWork, delivery: dict[str, int]) -> list[str]:
    async with work:
        return [article for article, amount in delivery.items() if await work.add_line(article, amount)]


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS savepoint_lines"))
        await conn.execute(text("CREATE TABLE savepoint_lines (article VARCHAR(20) PRIMARY KEY, amount INTEGER)"))
    print("received:", await receive(UnitOfWork(async_sessionmaker(engine)), {"bolt": 3, "nut": 5}))
    async with engine.connect() as conn:
        print("stored:", await conn.scalar(text("SELECT COUNT(*) FROM savepoint_lines")))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
