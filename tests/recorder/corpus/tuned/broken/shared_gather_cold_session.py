"""A dashboard endpoint that asks for its three figures at once.

All three queries of the gather run on one new session: it is asked to connect by several tasks at the same time.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

QUERIES = {"users": "SELECT 10", "orders": "SELECT 20", "returns": "SELECT 30"}


async def figure(session, name):
    return name, await session.scalar(text(QUERIES[name]))  # finding: session-shared


async def dashboard(session):
    answers = await asyncio.gather(*(figure(session, name) for name in QUERIES), return_exceptions=True)
    return [answer if isinstance(answer, tuple) else type(answer).__name__ for answer in answers]


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with async_sessionmaker(engine)() as session:
        print(await dashboard(session))
    await engine.dispose()


asyncio.run(main())
