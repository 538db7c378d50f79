"""A job runner in the style of Celery, in which each job is a call of asyncio.run.

The engine is global, so the second job gets a connection of the first job's closed loop: every second job
fails with "attached to a different loop", or goes well by luck on SQLite.
"""

import asyncio
import os
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
SessionLocal = async_sessionmaker(engine)
JOBS: dict[str, Callable] = {}


def job(function: Callable) -> Callable:
    def run(*args: int) -> int:
        return asyncio.run(function(*args))

    JOBS[function.__name__] = run
    return run


@job
async def send_webhook(number: int) -> int:
    async with SessionLocal() as session:
        return await session.scalar(text("SELECT :n + 100"), {"n": number})  # finding: pool-crossed-loops


def work(queue: list[tuple[str, int]]) -> None:
    for name, number in queue:
        try:
            print(name, number, "->", JOBS[name](number))
        except RuntimeError as error:
            print(name, number, "failed:", str(error)[-40:])


if __name__ == "__main__":
    work([("send_webhook", 1), ("send_webhook", 2)])
