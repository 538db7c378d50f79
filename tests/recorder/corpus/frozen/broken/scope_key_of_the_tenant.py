"""A background worker with a scoped session per tenant, and a task per job.

A job that has nothing to bill returns before remove(), so the next job of the same tenant gets its
session, and commits the half-made change of a job that has ended.
"""

import asyncio
import os
from contextvars import ContextVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine

tenant: ContextVar[str] = ContextVar("tenant")
engine = create_async_engine(os.environ["DATABASE_URL"])
Session = async_scoped_session(async_sessionmaker(engine), scopefunc=tenant.get)


async def start_run() -> None:
    await Session.execute(  # finding: scope-mismatch
        text("UPDATE scope_key_accounts SET runs = runs + 1 WHERE name = :name"), {"name": tenant.get()}
    )


async def bill(amount: int) -> str:
    await start_run()
    if amount == 0:
        return "nothing to bill"
    query = text("UPDATE scope_key_accounts SET due = due + :amount WHERE name = :name")
    await Session.execute(query, {"amount": amount, "name": tenant.get()})
    await Session.commit()
    await Session.remove()
    return "billed"


async def job(name: str, amount: int) -> str:
    tenant.set(name)
    return await bill(amount)


async def main() -> None:
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS scope_key_accounts"))
        await conn.execute(text("CREATE TABLE scope_key_accounts (name VARCHAR(20), runs INTEGER, due INTEGER)"))
        await conn.execute(text("INSERT INTO scope_key_accounts VALUES ('acme', 0, 0)"))
    for amount in (0, 25):
        print(await asyncio.create_task(job("acme", amount)))
    async with engine.connect() as conn:
        print((await conn.execute(text("SELECT * FROM scope_key_accounts"))).one())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
