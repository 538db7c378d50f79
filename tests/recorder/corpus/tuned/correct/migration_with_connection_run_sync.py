"""A small migration tool: its steps are plain functions on a synchronous connection, called through run_sync."""

import asyncio
import os

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, inspect, select
from sqlalchemy.ext.asyncio import create_async_engine

NAME = "migration_with_connection_run_sync"


def create(conn):
    metadata = MetaData()
    Table(NAME, metadata, Column("id", Integer, primary_key=True), Column("title", String(20)))
    metadata.drop_all(conn)
    metadata.create_all(conn)


def fill(conn):
    table = Table(NAME, MetaData(), autoload_with=conn)
    conn.execute(insert(table), [{"title": "one"}, {"title": "two"}])
    return len(conn.execute(select(table)).all())


def columns(conn):
    return [column["name"] for column in inspect(conn).get_columns(NAME)]


async def migrate(engine, *steps):
    answers = []
    for step in steps:
        async with engine.begin() as conn:
            answers.append(await conn.run_sync(step))
    return answers


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        print(await migrate(engine, create, fill, columns))
    finally:
        await engine.dispose()


asyncio.run(main())
