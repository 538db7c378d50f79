"""A web service that writes its access log in a thread with its own event loop.

The thread uses the engine of the main loop, and takes from the pool a connection that belongs to that loop.
"""

import asyncio
import os
import threading

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class AccessLog:
    def __init__(self, engine):
        self.engine = engine
        self.answers = []

    async def save(self, path):
        async with self.engine.connect() as conn:  # finding: pool-crossed-loops
            return await conn.scalar(text("SELECT LENGTH(:path)"), {"path": path})

    def run(self, path):
        try:
            self.answers.append(asyncio.run(self.save(path)))
        except RuntimeError as error:
            self.answers.append(type(error).__name__)

    def log(self, path):
        thread = threading.Thread(target=self.run, args=(path,), name="access-log")
        thread.start()
        thread.join()


async def handler(engine, log, path):
    async with engine.connect() as conn:
        answer = await conn.scalar(text("SELECT 1"))
    log.log(path)
    return answer


async def main():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    log = AccessLog(engine)
    print(await handler(engine, log, "/index"), log.answers)


asyncio.run(main())
