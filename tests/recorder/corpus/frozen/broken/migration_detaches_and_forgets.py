"""A migration runner that detaches a connection from the pool to work on it for a long time.

Nobody closes the detached connection, so it stays open on the server until the process ends.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

MIGRATIONS = {
    1: "CREATE TABLE migration_detaches_notes (id INTEGER PRIMARY KEY, body VARCHAR(200))",
    2: "INSERT INTO migration_detaches_notes (id, body) VALUES (1, 'first note')",
}


class Migrator:
    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url)

    async def __aenter__(self) -> "Migrator":
        self.conn = await self.engine.connect()  # finding: leaked-connection
        raw = await self.conn.get_raw_connection()
        raw.detach()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.conn.commit()
        await self.engine.dispose()

    async def apply(self, revision: int) -> None:
        await self.conn.execute(text(MIGRATIONS[revision]))


async def main() -> None:
    async with Migrator(os.environ["DATABASE_URL"]) as migrator:
        await migrator.conn.execute(text("DROP TABLE IF EXISTS migration_detaches_notes"))
        for revision in sorted(MIGRATIONS):
            await migrator.apply(revision)
            print("applied", revision)


if __name__ == "__main__":
    asyncio.run(main())
