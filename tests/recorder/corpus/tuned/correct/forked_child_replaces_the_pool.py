"""A prefork server whose worker replaces the inherited pool and leaves the parent's connections open."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])


async def request(number):
    async with engine.connect() as conn:
        return int(await conn.scalar(text("SELECT :number * 10"), {"number": number}))


async def serve(number):
    try:
        return await request(number)
    finally:
        await engine.dispose()


def worker(number):
    engine.sync_engine.dispose(close=False)
    print("worker:", asyncio.run(serve(number)), flush=True)
    os._exit(0)


with asyncio.Runner() as runner:
    print("parent:", runner.run(request(1)), flush=True)
    child = os.fork()
    if child == 0:
        worker(2)
    print("worker's status:", os.waitpid(child, 0)[1], flush=True)
    print("parent:", runner.run(request(3)), flush=True)
    runner.run(engine.dispose())
