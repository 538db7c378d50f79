"""A unit of work whose two steps run side by side; a step that is not needed rolls the work back.

The rollback runs in one task while the other is in the middle of a statement on the same session.
"""

# drivers: aiosqlite

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class UnitOfWork:
    def __init__(self, sessions):
        self.session = sessions()

    async def __aenter__(self):
        await self.session.execute(text("SELECT 1"))
        return self

    async def __aexit__(self, *error):
        await self.session.close()

    async def step(self, number):
        return await self.session.scalar(text("SELECT :number"), {"number": number})

    async def give_up(self):
        await self.session.rollback()  # finding: session-shared


async def work(sessions):
    async with UnitOfWork(sessions) as unit:
        answers = await asyncio.gather(unit.step(1), unit.give_up(), return_exceptions=True)
    return ["rolled back" if answer is None else answer for answer in answers]


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    print(await work(async_sessionmaker(engine)))
    await engine.dispose()


asyncio.run(main())
