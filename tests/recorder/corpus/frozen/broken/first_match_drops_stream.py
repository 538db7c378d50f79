"""A search that streams rows through an async generator and stops at the first match.

Returning out of the loop drops the generator at its yield, with its session and its half-read result open,
and it is cleaned up in a task of its own at some later time.
"""

import asyncio
import os
from collections.abc import AsyncIterator

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

metadata = MetaData()
words = Table("first_match_words", metadata, Column("id", Integer, primary_key=True), Column("word", String(20)))


class Dictionary:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def words(self) -> AsyncIterator[str]:
        async with AsyncSession(self.engine) as session:
            result = await session.stream(select(words.c.word).order_by(words.c.id))
            async for word in result.scalars():
                yield word  # finding: abandoned-generator

    async def first_with(self, letter: str) -> str | None:
        async for word in self.words():
            if letter in word:
                return word
        return None


async def until_idle(engine: AsyncEngine) -> None:
    while engine.pool.checkedout():
        await asyncio.sleep(0.01)


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(words), [{"word": word} for word in ("loop", "pool", "task", "lock")])
    print(await Dictionary(engine).first_with("p"))
    await until_idle(engine)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
