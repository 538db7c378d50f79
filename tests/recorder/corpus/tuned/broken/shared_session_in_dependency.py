"""A web handler that gets one session from its dependency and loads three objects with it in a TaskGroup.

The new session is asked to connect twice at once; the group fails and the request is a 500.
"""

import asyncio
import os
from contextlib import asynccontextmanager

from sqlalchemy import String
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Country(Base):
    __tablename__ = "shared_session_in_dependency"
    code: Mapped[str] = mapped_column(String(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(30))


@asynccontextmanager
async def session_dependency(engine):
    async with async_sessionmaker(engine)() as session:
        yield session


async def country(session, code):
    return await session.get(Country, code)  # finding: session-shared


async def handler(session, codes):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(country(session, code)) for code in codes]
    return [task.result().name for task in tasks]


async def set_up():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with async_sessionmaker(engine).begin() as session:
        session.add_all([Country(code="de", name="Germany"), Country(code="fr", name="France")])
    await engine.dispose()


async def main():
    await set_up()
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        async with session_dependency(engine) as session:
            print(200, await handler(session, ["de", "fr", "de"]))
    except* InvalidRequestError as group:
        print(500, type(group.exceptions[0]).__name__)
    await engine.dispose()


asyncio.run(main())
