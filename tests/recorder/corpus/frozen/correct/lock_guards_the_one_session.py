"""A chat log with one session for all clients, and a lock that lets one client at a time into it."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


class ChatLog:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.lock = asyncio.Lock()

    async def write(self, sender: str, body: str) -> int:
        async with self.lock:
            statement = text("INSERT INTO lock_guards_log (sender, body) VALUES (:sender, :body)")
            await self.session.execute(statement, {"sender": sender, "body": body})
            await self.session.commit()
            return await self.session.scalar(text("SELECT COUNT(*) FROM lock_guards_log"))


async def client(log: ChatLog, name: str) -> list[int]:
    return [await log.write(name, f"message {number}") for number in (1, 2)]


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS lock_guards_log"))
        await conn.execute(text("CREATE TABLE lock_guards_log (sender VARCHAR(20), body VARCHAR(80))"))
    async with AsyncSession(engine) as session:
        log = ChatLog(session)
        counts = await asyncio.gather(*(client(log, name) for name in ("ada", "bob", "cy")))
    assert max(map(max, counts)) == 6, counts
    print(counts)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
