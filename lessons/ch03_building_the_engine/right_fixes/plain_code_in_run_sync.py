"""Borrow the connection, and let a plain session do the work on it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session


class SmallEngine:
    def __init__(self, database_url):
        self.pool = create_async_engine(database_url)

    async def save(self, *objects):
        def add(connection):
            with Session(connection, expire_on_commit=False) as session:
                session.add_all(objects)
                session.commit()

        async with self.pool.begin() as connection:
            await connection.run_sync(add)

    async def get(self, model, **unique_key):
        def look(connection):
            with Session(connection) as session:
                return session.scalar(select(model).filter_by(**unique_key))

        async with self.pool.connect() as connection:
            return await connection.run_sync(look)

    async def close(self):
        await self.pool.dispose()
