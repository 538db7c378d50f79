"""A registration service that reads the new user after the commit, with expire_on_commit=False."""

import asyncio
import os

from sqlalchemy import String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "read_after_commit_without_expiry"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(60))


class Registration:
    def __init__(self, sessions):
        self.sessions = sessions

    async def register(self, email):
        async with self.sessions() as session:
            user = User(email=email)
            session.add(user)
            await session.commit()
            print("inside:", user.id)
        return user


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    user = await Registration(async_sessionmaker(engine, expire_on_commit=False)).register("ada@example.org")
    print("outside:", user.id, user.email)
    await engine.dispose()


asyncio.run(main())
