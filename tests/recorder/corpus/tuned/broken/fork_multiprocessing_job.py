"""A nightly job that counts its work, and gives the sums to processes started with multiprocessing's fork.

The children inherit a pool with an open connection and use it.
"""

# drivers: asyncmy aiomysql

import asyncio
import multiprocessing
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Sums:
    def __init__(self, url):
        self.engine = create_async_engine(url, pool_size=2)

    async def total(self, first, last):
        async with self.engine.connect() as conn:  # finding: pool-crossed-fork
            return await conn.scalar(text("SELECT :first + :last"), {"first": first, "last": last})

    def child(self, first, last):
        try:
            print("child:", asyncio.run(asyncio.wait_for(self.total(first, last), 2)), flush=True)
        except Exception as error:
            print("child failed:", type(error).__name__, flush=True)


def main():
    sums = Sums(os.environ["DATABASE_URL"])
    print("parent:", int(asyncio.run(sums.total(0, 0))), flush=True)
    process = multiprocessing.get_context("fork").Process(target=sums.child, args=(1, 2))
    process.start()
    process.join()


if __name__ == "__main__":
    main()
