"""A server that warms its pool up and then forks its workers, to start them faster.

The child uses a connection that the parent has opened, on the same socket, and fails in its own loop.
"""

# drivers: asyncmy aiomysql

import asyncio
import multiprocessing
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])


async def connection_number() -> int:
    async with engine.connect() as conn:  # finding: pool-crossed-fork
        return await conn.scalar(text("SELECT CONNECTION_ID()"))


def worker(name: str) -> None:
    try:
        print(name, asyncio.run(connection_number()), flush=True)
    except RuntimeError as error:
        print(name, "failed:", str(error)[-40:], flush=True)


async def warm_up() -> None:
    print("the pool is warm:", await connection_number() > 0, flush=True)


def main() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(warm_up())
    child = multiprocessing.get_context("fork").Process(target=worker, args=("worker 1",))
    child.start()
    child.join()
    loop.run_until_complete(engine.dispose())
    loop.close()


if __name__ == "__main__":
    main()
