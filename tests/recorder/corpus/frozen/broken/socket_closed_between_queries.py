"""A WebSocket-like server in which a client's handler task is cancelled when the client goes away.

The handler waits for the next message with an open connection that it would close later, so each client
that goes away takes a connection with it.
"""

import asyncio
import os
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine


class Client:
    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.engine = engine
        self.name = name
        self.inbox: asyncio.Queue[str | None] = asyncio.Queue()
        self.greeted = asyncio.Event()

    async def greet(self) -> AsyncConnection:
        conn = await self.engine.connect()  # finding: cancelled-while-holding
        print(await conn.scalar(text("SELECT UPPER(:name)"), {"name": self.name}))
        self.greeted.set()
        return conn

    async def handle(self) -> None:
        conn = await self.greet()
        while (message := await self.inbox.get()) is not None:
            await conn.execute(text("SELECT :message"), {"message": message})
        await conn.close()


async def connect_and_go_away(engine: AsyncEngine, name: str) -> None:
    client = Client(engine, name)
    handler = asyncio.create_task(client.handle(), name=name)
    await client.greeted.wait()
    handler.cancel()
    with suppress(asyncio.CancelledError):
        await handler


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    for name in ("ada", "bob"):
        await connect_and_go_away(engine, name)
    print(engine.pool.status())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
