"""A repository class with a session for each method, built from one factory.

The method save commits a session of its own, not the one that the row was added to.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

TABLE = "lost_write_commit_on_other_session"


class Notes:
    def __init__(self, sessions):
        self.sessions = sessions

    async def add(self, number, body):
        async with self.sessions() as session:
            await session.execute(text(f"DELETE FROM {TABLE} WHERE id = :id"), {"id": number})
            await session.execute(  # finding: lost-write
                text(f"INSERT INTO {TABLE} (id, body) VALUES (:id, :body)"),
                {"id": number, "body": body},
            )

    async def save(self):
        async with self.sessions() as session:
            await session.commit()

    async def all(self):
        async with self.sessions() as session:
            return (await session.execute(text(f"SELECT body FROM {TABLE}"))).scalars().all()


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))
        await conn.execute(text(f"CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, body VARCHAR(40))"))
    notes = Notes(async_sessionmaker(engine))
    await notes.add(1, "buy bread")
    await notes.save()
    print("notes:", await notes.all())
    await engine.dispose()


asyncio.run(main())
