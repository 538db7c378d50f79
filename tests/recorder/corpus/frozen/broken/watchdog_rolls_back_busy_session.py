"""A worker with a watchdog task that rolls the worker's session back when a job is too old.

The rollback goes to the session in the middle of the worker's statement, and takes its transaction away or
gives either of them an error.
"""

# drivers: aiomysql aiosqlite

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


class Job:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.asked = asyncio.Event()

    async def run(self, number: int) -> int:
        await self.session.execute(text("SELECT 1"))
        self.asked.set()
        return await self.session.scalar(text("SELECT :n + 1"), {"n": number})


async def watchdog(job: Job) -> None:
    await job.asked.wait()
    await job.session.rollback()  # finding: session-shared


async def supervise(job: Job, number: int) -> None:
    results = await asyncio.gather(job.run(number), watchdog(job), return_exceptions=True)
    for name, result in zip(("job", "watchdog"), results, strict=True):
        print(name, type(result).__name__ if isinstance(result, Exception) else result)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    make_session = async_sessionmaker(engine)
    session = make_session()
    try:
        await supervise(Job(session), 1)
    finally:
        try:
            await session.close()
        except (RuntimeError, SQLAlchemyError) as error:
            print("close:", type(error).__name__)
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
