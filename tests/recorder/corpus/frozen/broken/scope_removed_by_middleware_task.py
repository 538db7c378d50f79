"""A tool server in which a middleware cleans up the scoped session of each call.

The call runs in a task of its own, so the middleware removes the session of its own task, which has
none, and the one that the tool has used stays in the registry with its connection.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
db = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)


async def count_words(sentence: str) -> int:
    answer = await db.scalar(text("SELECT LENGTH(:s)"), {"s": sentence})  # finding: scope-mismatch
    return answer - len(sentence.replace(" ", "")) + 1


class ToolServer:
    def __init__(self) -> None:
        self.tools: dict[str, Callable[..., Awaitable[int]]] = {}

    def tool(self, handler: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
        self.tools[handler.__name__] = handler
        return handler

    async def call(self, name: str, **arguments: str) -> int:
        return await asyncio.create_task(self.tools[name](**arguments), name=f"tool {name}")


async def with_cleanup(server: ToolServer, name: str, **arguments: str) -> int:
    try:
        return await server.call(name, **arguments)
    finally:
        await db.remove()


async def main() -> None:
    server = ToolServer()
    server.tool(count_words)
    print(await with_cleanup(server, "count_words", sentence="three short words"))
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
