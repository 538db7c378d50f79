"""A repository that opens a session for each method, called from code that already has one open.

The inner method asks for a second connection while the pool is full, and goes on only because another
request ends.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class Rates:
    def __init__(self, sessions):
        self.sessions = sessions

    async def rate(self, currency):
        async with self.sessions() as session:
            query = text("SELECT LENGTH(:currency)").bindparams(currency=currency)
            return await session.scalar(query)  # finding: nested-checkout


async def invoice(sessions, full, asking):
    async with sessions() as session:
        amount = await session.scalar(text("SELECT 40"))
        await full.wait()
        asking.set()
        return amount * await Rates(sessions).rate("EUR")


async def other_request(sessions, full, asking):
    async with sessions() as session:
        await session.execute(text("SELECT 1"))
        await full.wait()
        await asking.wait()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0, pool_timeout=3)
    sessions = async_sessionmaker(engine)
    full, asking = asyncio.Barrier(2), asyncio.Event()
    answers = await asyncio.gather(invoice(sessions, full, asking), other_request(sessions, full, asking))
    print("invoice:", answers[0])
    await engine.dispose()


asyncio.run(main())
