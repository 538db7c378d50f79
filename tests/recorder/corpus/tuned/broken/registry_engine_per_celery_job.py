"""A Celery-like worker that runs each job with asyncio.run.

Every job builds an engine, counts a view without committing it and leaves the engine behind: the counter
stays at nought.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

URL = os.environ["DATABASE_URL"]


def sessions():
    engine = create_async_engine(URL, pool_recycle=1800)  # finding: registry-rebuilt
    return async_sessionmaker(bind=engine, expire_on_commit=False)


async def count_view(page):
    async with sessions()() as session:
        await session.execute(
            text("UPDATE registry_engine_per_celery_job SET views = views + 1 WHERE id = :page"), {"page": page}
        )
    return page


async def views():
    engine = create_async_engine(URL)
    async with engine.connect() as conn:
        result = await conn.scalar(text("SELECT SUM(views) FROM registry_engine_per_celery_job"))
    await engine.dispose()
    return result


async def install():
    engine = create_async_engine(URL)
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS registry_engine_per_celery_job"))
        await conn.execute(
            text("CREATE TABLE registry_engine_per_celery_job (id INTEGER PRIMARY KEY, views INTEGER)")
        )
        await conn.execute(text("INSERT INTO registry_engine_per_celery_job (id, views) VALUES (1, 0), (2, 0)"))
    await engine.dispose()


def worker(jobs):
    for page in jobs:
        print("counted", asyncio.run(count_view(page)))


if __name__ == "__main__":
    asyncio.run(install())
    worker([1, 2, 2])
    print("views:", asyncio.run(views()))
