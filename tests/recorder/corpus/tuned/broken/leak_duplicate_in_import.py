"""A bulk import of newsletter addresses that skips the ones already there.

The duplicate raises before the close, the except clause only counts it, and the connection is never returned.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

ADDRESSES = ["ada@example.org", "grace@example.org", "ada@example.org"]
INSERT = text("INSERT INTO leak_duplicate_in_import (email) VALUES (:email)")


async def add(engine, email):
    conn = await engine.connect()  # finding: leaked-connection
    await conn.execute(INSERT, {"email": email})
    await conn.commit()
    await conn.close()


async def run(engine):
    skipped = 0
    for email in ADDRESSES:
        try:
            await add(engine, email)
        except IntegrityError:
            skipped += 1
    return skipped


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS leak_duplicate_in_import"))
        await conn.execute(text("CREATE TABLE leak_duplicate_in_import (email VARCHAR(60) PRIMARY KEY)"))
    print("skipped:", await run(engine))
    print(engine.pool.status())
    await engine.dispose()


asyncio.run(main())
