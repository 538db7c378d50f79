"""A command that borrows the session dependency of the web part by calling anext() on it.

Nobody goes on with the generator, so it is still at its yield, with its session, when the loop ends.
"""

import asyncio
import os
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
SessionLocal = async_sessionmaker(engine)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        try:
            yield session  # finding: abandoned-generator
        finally:
            print("the dependency ends")


class Command:
    async def setup(self) -> None:
        self.dependency = get_db()
        self.db = await anext(self.dependency)

    async def run(self, name: str) -> str:
        return await self.db.scalar(text("SELECT UPPER(:name)"), {"name": name})


COMMAND = Command()


async def main() -> None:
    await COMMAND.setup()
    print(await COMMAND.run("users"))


if __name__ == "__main__":
    asyncio.run(main())
