"""A prefork server: the parent warms its pool, then forks a worker that serves a request.

The worker takes the parent's connection from the pool, and both processes hold the same socket.
"""

# drivers: asyncmy aiomysql

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine)


async def warm():
    async with engine.connect() as conn:
        await conn.execute(text("SELECT 1"))


async def request(number):
    async with sessions() as session:
        return await session.scalar(text("SELECT 42"))  # finding: pool-crossed-fork


def worker(number):
    try:
        print("worker:", asyncio.run(asyncio.wait_for(request(number), 2)), flush=True)
    except Exception as error:
        print("worker failed:", type(error).__name__, flush=True)


def main():
    asyncio.run(warm())
    child = os.fork()
    if child == 0:
        worker(1)
        os._exit(0)
    os.waitpid(child, 0)


main()
