import os
from asyncio import current_task

from models import Base, User
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine


class DBEngine:
    """The only door to the database: one object for the whole program."""

    _instance = None

    def __new__(cls):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
            cls._instance.engine = create_async_engine(os.environ["DATABASE_URL"])
        return cls._instance

    @property
    def session(self):
        """The session of the current task."""
        factory = async_sessionmaker(self.engine, expire_on_commit=False)
        return async_scoped_session(factory, scopefunc=current_task)

    async def create_tables(self):
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
            await connection.run_sync(Base.metadata.create_all)

    async def save(self, user):
        session = self.session
        session.add(user)
        await session.commit()

    async def find(self, email):
        return await self.session.scalar(select(User).where(User.email == email))

    async def close(self):
        await self.session.remove()
        await self.engine.dispose()
