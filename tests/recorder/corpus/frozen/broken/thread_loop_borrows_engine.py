"""A service with a main loop, and a thread with a loop of its own for exports.

The thread uses the engine of the main loop, so it takes a pooled connection that belongs to another loop
and its export fails, or goes well by luck on SQLite.
"""

import asyncio
import os
import threading

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


class Exporter(threading.Thread):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(name="exporter")
        self.engine = engine
        self.result = "not run"

    async def export(self) -> str:
        async with self.engine.connect() as conn:  # finding: pool-crossed-loops
            return await conn.scalar(text("SELECT 'exported'"))

    def run(self) -> None:
        try:
            self.result = asyncio.run(self.export())
        except RuntimeError as error:
            self.result = f"failed: {str(error)[-40:]}"


async def serve(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        print("serving", await conn.scalar(text("SELECT 1")))


def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(serve(engine))
    exporter = Exporter(engine)
    exporter.start()
    exporter.join()
    print(exporter.result)
    loop.close()


if __name__ == "__main__":
    main()
