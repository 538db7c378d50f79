"""A maintenance script that takes a connection out of the pool for good, and closes it when it has finished."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine


async def vacuum(conn: AsyncConnection) -> int:
    await conn.execute(text("DROP TABLE IF EXISTS detached_closed_work"))
    await conn.execute(text("CREATE TABLE detached_closed_work (id INTEGER)"))
    await conn.execute(text("INSERT INTO detached_closed_work VALUES (1), (2)"))
    await conn.commit()
    return await conn.scalar(text("SELECT COUNT(*) FROM detached_closed_work"))


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        async with engine.connect() as conn:
            raw = await conn.get_raw_connection()
            raw.detach()
            print(await vacuum(conn), "rows,", engine.pool.checkedout(), "from the pool")
    finally:
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
