"""Two transfers between accounts, each of which reads the source and the target with a connection of its own.

Both hold one of the two connections and ask for another: neither can go on until the pool gives up.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine


class Bank:
    def __init__(self, url):
        self.engine = create_async_engine(url, pool_size=2, max_overflow=0, pool_timeout=0.3)
        self.both_hold_one = asyncio.Barrier(2)

    async def balance(self, conn, account):
        return await conn.scalar(text("SELECT :account * 100"), {"account": account})

    async def transfer(self, source, target):
        async with self.engine.connect() as first:
            amount = await self.balance(first, source)
            await self.both_hold_one.wait()
            async with self.engine.connect() as second:  # finding: nested-checkout
                return int(amount), int(await self.balance(second, target))


async def main():
    bank = Bank(os.environ["DATABASE_URL"])
    answers = await asyncio.gather(bank.transfer(1, 2), bank.transfer(2, 1), return_exceptions=True)
    print(["timed out" if isinstance(answer, PoolTimeout) else answer for answer in answers])
    await bank.engine.dispose()


asyncio.run(main())
