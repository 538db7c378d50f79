"""A chat server's database helper that hands out its session through a property.

Each access builds another registry, so the INSERT and the COMMIT go to two sessions: no error, and no
message in the room.
"""

import asyncio
import os

from sqlalchemy import String, func, insert, select
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Message(Base):
    __tablename__ = "registry_property_per_access"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(200))


class Database:
    def __init__(self, url):
        self.engine = create_async_engine(url)

    @property
    def session(self):
        factory = async_sessionmaker(self.engine, expire_on_commit=False)
        return async_scoped_session(factory, scopefunc=asyncio.current_task)  # finding: registry-rebuilt

    async def create_tables(self):
        async with self.engine.begin() as conn:
            await conn.run_sync(Base.metadata.drop_all)
            await conn.run_sync(Base.metadata.create_all)


async def post(db, body):
    await db.session.execute(insert(Message).values(body=body))
    await db.session.commit()
    await db.session.remove()


async def main():
    db = Database(os.environ["DATABASE_URL"])
    await db.create_tables()
    await post(db, "hello")
    print("messages:", await db.session.scalar(select(func.count(Message.id))))
    await db.engine.dispose()


asyncio.run(main())
