"""A checkout handler with a time limit: it reads the price, then asks a payment service that does not answer.

The time-out cancels the handler before it reaches the close, and its connection stays out.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class Payments:
    def __init__(self):
        self.answered = asyncio.Event()

    async def pay(self, amount):
        await self.answered.wait()
        return f"paid {amount}"


async def checkout(sessions, payments):
    session = sessions()
    amount = await session.scalar(text("SELECT 100"))  # finding: cancelled-while-holding
    receipt = await payments.pay(amount)
    await session.close()
    return receipt


async def handle(sessions, payments):
    try:
        return await asyncio.wait_for(checkout(sessions, payments), timeout=0.5)
    except TimeoutError:
        return "504 the payment service does not answer"


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.connect() as conn:
        await conn.execute(text("SELECT 1"))
    print(await handle(async_sessionmaker(engine), Payments()))
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
