"""A chat room in the manner of WebSockets, which stores each client's message with one global connection.

Two clients that write at the same time are inside operations of one connection, and which message is in
which transaction is left to chance.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

STORE = text("INSERT INTO broadcast_messages (sender, body) VALUES (:sender, :body)")


class Room:
    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self.clients: dict[str, asyncio.Queue[str]] = {}

    async def send(self, sender: str, body: str) -> None:
        await self.conn.execute(STORE, {"sender": sender, "body": body})  # finding: session-shared
        for queue in self.clients.values():
            queue.put_nowait(f"{sender}: {body}")


async def client(room: Room, name: str, everybody: asyncio.Barrier) -> list[str]:
    inbox = room.clients[name] = asyncio.Queue()
    await everybody.wait()
    await room.send(name, "hello")
    return sorted([await inbox.get(), await inbox.get()])


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    async with engine.connect() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS broadcast_messages"))
        await conn.execute(text("CREATE TABLE broadcast_messages (sender VARCHAR(20), body VARCHAR(200))"))
        await conn.commit()
        room, everybody = Room(conn), asyncio.Barrier(2)
        async with asyncio.TaskGroup() as group:
            ada = group.create_task(client(room, "ada", everybody), name="ada")
            group.create_task(client(room, "bob", everybody), name="bob")
        await conn.commit()
        print(ada.result())
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
