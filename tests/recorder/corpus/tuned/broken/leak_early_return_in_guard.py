"""An access guard of a web service: it reads the user's token before the handler runs.

When the token is found the guard returns early and its session stays open, one connection for each request.
"""

import asyncio
import os

from sqlalchemy import Column, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
tokens = Table(
    "leak_early_return_in_guard",
    metadata,
    Column("token", String(20), primary_key=True),
    Column("owner", String(20)),
)

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=3, max_overflow=2)
session_maker = async_sessionmaker(engine, expire_on_commit=False)


async def operator_guard(token):
    session = session_maker()
    query = select(tokens.c.owner).where(tokens.c.token == token)
    result = await session.execute(query)  # finding: leaked-connection
    owner = result.scalar()
    if owner is not None:
        return owner
    await session.close()
    raise PermissionError(token)


async def handle(token):
    try:
        return 200, await operator_guard(token)
    except PermissionError:
        return 403, None


async def main():
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(tokens).values(token="abc", owner="ada"))
    for token in ("zzz", "abc", "abc"):
        print(await handle(token))
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
