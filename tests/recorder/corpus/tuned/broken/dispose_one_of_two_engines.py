"""A migration command that copies a table from one database to another, with one engine for each.

Only the target is disposed of at the end; the engine of the source is forgotten.
"""

import argparse
import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


async def read_all(engine):
    async with engine.connect() as conn:
        result = await conn.execute(text("SELECT id, title FROM dispose_one_of_two_engines_old ORDER BY id"))
        return [{"id": row.id, "title": row.title} for row in result]


async def write_all(engine, rows):
    async with engine.begin() as conn:
        await conn.execute(
            text("INSERT INTO dispose_one_of_two_engines_new (id, title) VALUES (:id, :title)"), rows
        )


async def migrate(source_url, target_url):
    source = create_async_engine(source_url)  # finding: engine-not-disposed
    target = create_async_engine(target_url)
    try:
        rows = await read_all(source)
        await write_all(target, rows)
    finally:
        await target.dispose()
    return len(rows)


async def seed(url):
    engine = create_async_engine(url)
    async with engine.begin() as conn:
        for name in ("old", "new"):
            await conn.execute(text(f"DROP TABLE IF EXISTS dispose_one_of_two_engines_{name}"))
            await conn.execute(
                text(f"CREATE TABLE dispose_one_of_two_engines_{name} (id INTEGER PRIMARY KEY, title VARCHAR(30))")
            )
        await conn.execute(text("INSERT INTO dispose_one_of_two_engines_old VALUES (1, 'one'), (2, 'two')"))
    await engine.dispose()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default=os.environ["DATABASE_URL"])
    parser.add_argument("--target", default=os.environ["DATABASE_URL"])
    options = parser.parse_args()
    asyncio.run(seed(options.source))
    print("copied:", asyncio.run(migrate(options.source, options.target)))


if __name__ == "__main__":
    main()
