"""A gateway that gives a slow supplier's price a time limit, and reads the discount from the database first.

The time runs out between two database calls, so close() is never reached and the connection stays out.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class PriceService:
    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url)
        self.new_session = async_sessionmaker(self.engine)
        self.supplier_answer = asyncio.Event()

    async def ask_supplier(self, article: int) -> int:
        await self.supplier_answer.wait()
        return article * 100

    async def price(self, article: int) -> int:
        session = self.new_session()
        discount = await session.scalar(text("SELECT 15"))  # finding: cancelled-while-holding
        price = await self.ask_supplier(article)
        await session.close()
        return price - discount


async def get_price(service: PriceService, article: int) -> int | None:
    try:
        return await asyncio.wait_for(service.price(article), timeout=0.2)
    except TimeoutError:
        return None


async def main() -> None:
    service = PriceService(os.environ["DATABASE_URL"])
    print("price:", await get_price(service, 7))
    print(service.engine.pool.status())
    await service.engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
