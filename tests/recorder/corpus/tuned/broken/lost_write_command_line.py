"""A command-line tool that sets the price of an article.

The update runs in a session that is closed without a commit; the tool says it is done and the price is the
old one.
"""

import argparse
import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, Table, insert, select, update
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

metadata = MetaData()
prices = Table(
    "lost_write_command_line", metadata, Column("id", Integer, primary_key=True), Column("price", Integer)
)


async def set_price(sessions, number, price):
    async with sessions() as session:
        statement = update(prices).where(prices.c.id == number).values(price=price)
        result = await session.execute(statement)  # finding: lost-write
        return result.rowcount


async def show(sessions, number):
    async with sessions() as session:
        return await session.scalar(select(prices.c.price).where(prices.c.id == number))


async def command(options):
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.run_sync(metadata.drop_all)
        await conn.run_sync(metadata.create_all)
        await conn.execute(insert(prices).values(id=options.number, price=100))
    sessions = async_sessionmaker(engine)
    print("changed:", await set_price(sessions, options.number, options.price))
    print("price:", await show(sessions, options.number))
    await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--price", type=int, default=120)
    asyncio.run(command(parser.parse_args()))
