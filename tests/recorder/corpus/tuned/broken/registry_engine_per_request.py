"""A web application whose dependency gives each request a session.

It creates an engine for every request and leaves the session open, so that each request costs the server
one more connection.
"""

import asyncio
import os

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "registry_engine_per_request"
    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int]


def get_session() -> AsyncSession:
    engine = create_async_engine(os.environ["DATABASE_URL"])  # finding: registry-rebuilt
    return AsyncSession(engine, expire_on_commit=False)


async def read_account(request):
    session = get_session()
    account = await session.scalar(select(Account).where(Account.id == request["id"]))
    return {"id": account.id, "balance": account.balance}


async def total(request):
    session = get_session()
    return {"total": await session.scalar(text("SELECT SUM(balance) FROM registry_engine_per_request"))}


ROUTES = {"/account": read_account, "/total": total}


async def serve(requests):
    for path, request in requests:
        print(path, await ROUTES[path](request))


async def set_up():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
        await conn.execute(text("INSERT INTO registry_engine_per_request (id, balance) VALUES (1, 10), (2, 20)"))
    await engine.dispose()


asyncio.run(set_up())
asyncio.run(serve([("/account", {"id": 1}), ("/account", {"id": 2}), ("/account", {"id": 1})]))
