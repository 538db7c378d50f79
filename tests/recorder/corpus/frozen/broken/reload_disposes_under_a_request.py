"""A server that disposes its engine when its settings are read again, while requests are running.

A request gives its connection back to the pool that was disposed before, and nobody closes that one, so
the connection is open until the loop ends.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class Server:
    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url)  # finding: engine-not-disposed
        self.sessions = async_sessionmaker(self.engine)
        self.in_request = asyncio.Event()
        self.reloaded = asyncio.Event()

    async def request(self) -> int:
        async with self.sessions() as session:
            first = await session.scalar(text("SELECT 1"))
            self.in_request.set()
            await self.reloaded.wait()
            return first + await session.scalar(text("SELECT 2"))

    async def reload(self) -> None:
        await self.in_request.wait()
        await self.engine.dispose()
        self.reloaded.set()

    async def run(self) -> None:
        answer, _ = await asyncio.gather(self.request(), self.reload())
        print("answered", answer)
        await self.engine.dispose()


async def main() -> None:
    await Server(os.environ["DATABASE_URL"]).run()


if __name__ == "__main__":
    asyncio.run(main())
