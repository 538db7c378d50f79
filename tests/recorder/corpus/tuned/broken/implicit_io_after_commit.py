"""A registration service that answers with the number of the new user.

The commit has expired the user, so reading its id asks the database outside an await, and the script stops.
"""

# exit: 1

import asyncio
import os

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "implicit_io_after_commit"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(60))


class Registration:
    def __init__(self, session):
        self.session = session

    async def register(self, email):
        user = User(email=email)
        self.session.add(user)
        await self.session.commit()
        return self.answer(user)

    def answer(self, user):
        return f"user {user.id} is registered"  # finding: implicit-io


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        async with engine.begin() as conn:
            await conn.run_sync(Base.metadata.drop_all)
            await conn.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            print(await Registration(session).register("ada@example.org"))
    finally:
        await engine.dispose()


asyncio.run(main())
