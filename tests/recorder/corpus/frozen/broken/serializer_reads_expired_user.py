"""A view that stores a user and gives it to a serializer, as a web framework does after the handler.

The commit has expired the object, so the serializer's attribute access needs the database outside an
await, and the request ends with MissingGreenlet.
"""

import asyncio
import os
from contextlib import asynccontextmanager

from sqlalchemy import String
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "serializer_reads_users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


def serialize(user: User) -> dict:
    return {field: getattr(user, field) for field in ("name",)}  # finding: implicit-io


@asynccontextmanager
async def request_session():
    async with sessions() as session:
        yield session


async def create_user(name: str) -> dict:
    async with request_session() as session:
        user = User(name=name)
        session.add(user)
        await session.commit()
        return serialize(user)


async def main() -> None:
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    try:
        print(await create_user("ada"))
    except (MissingGreenlet, StatementError) as error:
        print("500", type(error).__name__)
    await engine.dispose()


asyncio.run(main())
