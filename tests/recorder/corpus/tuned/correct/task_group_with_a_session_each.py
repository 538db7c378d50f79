"""A dashboard that asks for its figures at the same time, in a TaskGroup with a session for each task."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

QUERIES = {"users": "SELECT 10", "orders": "SELECT 20", "returns": "SELECT 30"}


async def figure(sessions, name):
    async with sessions() as session:
        return await session.scalar(text(QUERIES[name]))


async def dashboard(sessions):
    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(figure(sessions, name), name=name) for name in QUERIES}
    return {name: task.result() for name, task in tasks.items()}


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0)
    print(await dashboard(async_sessionmaker(engine)))
    await engine.dispose()


asyncio.run(main())
