"""A WebSocket-like broadcast that stores every message before it sends it to the listeners.

The helper sets a scoped registry up again for each call, so nobody can commit or close what the call before
has opened.
"""

import asyncio
import os
from contextvars import ContextVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=10)
make_session = async_sessionmaker(engine)
connection_id: ContextVar[int] = ContextVar("connection_id", default=0)


def get_db():
    return async_scoped_session(  # finding: registry-rebuilt
        make_session,
        scopefunc=connection_id.get,
    )


class Hub:
    def __init__(self):
        self.listeners = []

    async def say(self, body):
        known = await get_db().scalar(text("SELECT COUNT(*) FROM registry_per_message_broadcast"))
        await get_db().execute(
            text("INSERT INTO registry_per_message_broadcast (id, body) VALUES (:id, :body)"),
            {"id": known + 1, "body": body},
        )
        await get_db().commit()
        for queue in self.listeners:
            queue.put_nowait(body)


async def client(hub, number, body):
    connection_id.set(number)
    inbox = asyncio.Queue()
    hub.listeners.append(inbox)
    await hub.say(body)
    return await inbox.get()


async def main():
    async with engine.begin() as conn:
        await conn.execute(text("DROP TABLE IF EXISTS registry_per_message_broadcast"))
        await conn.execute(
            text("CREATE TABLE registry_per_message_broadcast (id INTEGER PRIMARY KEY, body VARCHAR(50))")
        )
    print(await client(Hub(), 1, "good morning"))
    async with engine.connect() as conn:
        print("stored:", await conn.scalar(text("SELECT COUNT(*) FROM registry_per_message_broadcast")))
    await engine.dispose()


asyncio.run(main())
