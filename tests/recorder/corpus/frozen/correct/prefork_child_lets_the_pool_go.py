"""A prefork server whose child drops the inherited pool without closing the parent's connections."""

# drivers: asyncmy aiomysql

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2)


async def connection_number() -> int:
    async with engine.connect() as conn:
        return await conn.scalar(text("SELECT CONNECTION_ID()"))


async def child(parents_number: int) -> int:
    try:
        return 0 if await connection_number() != parents_number else 1
    finally:
        await engine.dispose()


def fork_worker(parents_number: int) -> int:
    process = os.fork()
    if process == 0:
        engine.sync_engine.dispose(close=False)
        os._exit(asyncio.run(child(parents_number)))
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main() -> None:
    with asyncio.Runner() as parent:
        number = parent.run(connection_number())
        status = fork_worker(number)
        assert status == 0, status
        assert parent.run(connection_number()) == number
        parent.run(engine.dispose())
    print("the child has used a connection of its own")


if __name__ == "__main__":
    main()
