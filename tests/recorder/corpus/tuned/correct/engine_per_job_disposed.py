"""A Celery-like worker that builds an engine for each job, in the job's own loop, and disposes of it there."""

import asyncio
import os
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


@asynccontextmanager
async def database():
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2)
    try:
        yield async_sessionmaker(engine, expire_on_commit=False)
    finally:
        await engine.dispose()


async def install():
    async with database() as sessions, sessions.begin() as session:
        await session.execute(text("DROP TABLE IF EXISTS engine_per_job_disposed"))
        await session.execute(text("CREATE TABLE engine_per_job_disposed (id INTEGER PRIMARY KEY, mails INTEGER)"))
        await session.execute(text("INSERT INTO engine_per_job_disposed (id, mails) VALUES (1, 0)"))


async def send_mail(user):
    async with database() as sessions:
        async with sessions() as session:
            await session.execute(
                text("UPDATE engine_per_job_disposed SET mails = mails + 1 WHERE id = :user"), {"user": user}
            )
            await session.commit()
        async with sessions() as session:
            return await session.scalar(text("SELECT mails FROM engine_per_job_disposed"))


if __name__ == "__main__":
    asyncio.run(install())
    for job in (1, 1, 1):
        print("mails:", asyncio.run(send_mail(job)))
