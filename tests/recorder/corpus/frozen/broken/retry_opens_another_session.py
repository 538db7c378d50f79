"""A job that retries with a new session for each attempt, until the upstream data is complete.

Only the attempt that succeeds closes its session; those of the attempts before keep their connections.
"""

import asyncio
import os
from functools import partial

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


class NotReady(Exception):
    pass


async def read_totals(session: AsyncSession, attempt: int) -> int:
    total = await session.scalar(text("SELECT 40 + :attempt"), {"attempt": attempt})  # finding: leaked-connection
    if total < 42:
        raise NotReady(f"attempt {attempt}: only {total} rows so far")
    return total


async def with_retries(make_session, job, attempts: int) -> int:
    for attempt in range(attempts):
        session = make_session()
        try:
            result = await job(session, attempt)
        except NotReady as error:
            print(error)
            continue
        await session.close()
        return result
    raise RuntimeError("given up")


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    run = partial(with_retries, async_sessionmaker(engine), read_totals)
    print("total", await run(attempts=5))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
