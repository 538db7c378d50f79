"""A command-line tool with a dry run: it makes its changes, shows the result and rolls them back on purpose."""

import argparse
import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

metadata = MetaData()
salaries = Table(
    "rollback_on_purpose", metadata, Column("id", Integer, primary_key=True), Column("amount", Integer)
)


async def raise_all(engine, percent, dry_run):
    async with AsyncSession(engine) as session:
        await session.execute(update(salaries).values(amount=salaries.c.amount + salaries.c.amount * percent / 100))
        total = await session.scalar(select(func.sum(salaries.c.amount)))
        if dry_run:
            await session.rollback()
        else:
            await session.commit()
        return int(total)


async def command(options):
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(salaries), [{"amount": 1000}, {"amount": 2000}])
    print("would be:", await raise_all(engine, options.percent, not options.write))
    async with AsyncSession(engine) as session:
        print("is:", int(await session.scalar(select(func.sum(salaries.c.amount)))))
    await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--percent", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    asyncio.run(command(parser.parse_args()))
