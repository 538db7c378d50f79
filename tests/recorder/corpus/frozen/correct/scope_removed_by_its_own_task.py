"""A web application with a task-scoped registry, whose middleware removes the session in the request's task."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
Session = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)


def middleware(view):
    async def handle(*args):
        try:
            return await view(*args)
        finally:
            await Session.remove()

    return handle


@middleware
async def like(article: int) -> int:
    await Session.execute(text("UPDATE scope_removed_likes SET likes = likes + 1 WHERE id = :id"), {"id": article})
    await Session.commit()
    return await Session.scalar(text("SELECT likes FROM scope_removed_likes WHERE id = :id"), {"id": article})


async def setup() -> None:
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS scope_removed_likes"))
        await conn.execute(text("CREATE TABLE scope_removed_likes (id INTEGER PRIMARY KEY, likes INTEGER)"))
        await conn.execute(text("INSERT INTO scope_removed_likes VALUES (1, 0)"))


async def main() -> None:
    await setup()
    likes = [await asyncio.create_task(like(1)) for _ in range(3)]
    assert likes == [1, 2, 3], likes
    print(likes, "sessions left:", len(Session.registry.registry))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
