"""A scheduler that runs its round of checks now and then, each round with asyncio.run.

The semaphore that limits the checks is made at import. The first round binds it to its loop as soon as a
check must wait, so in the second round the checks that must wait fail.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

at_once = asyncio.Semaphore(2)


async def check(engine: AsyncEngine, number: int) -> int:
    async with at_once, engine.connect() as conn:  # finding: primitive-crossed-loops
        return await conn.scalar(text("SELECT :n"), {"n": number})


async def checks() -> list[int | BaseException]:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        return await asyncio.gather(*(check(engine, number) for number in range(4)), return_exceptions=True)
    finally:
        await engine.dispose()


def main() -> None:
    for number in (1, 2):
        results = asyncio.run(checks())
        failed = [result for result in results if isinstance(result, BaseException)]
        print(f"round {number}: {len(results) - len(failed)} ok, {len(failed)} failed {failed[:1]}")


if __name__ == "__main__":
    main()
