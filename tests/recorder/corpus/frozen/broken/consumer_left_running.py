"""An application that starts a background consumer and returns from main without stopping it.

The consumer waits for work with a connection in its hand when the loop ends, so asyncio.run cancels it in
the middle of its job.
"""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


class Consumer:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.inbox: asyncio.Queue[int] = asyncio.Queue()
        self.done: list[int] = []

    async def run(self) -> None:
        async with self.engine.connect() as conn:  # finding: lost-task
            while True:
                number = await self.inbox.get()
                self.done.append(await conn.scalar(text("SELECT :n * 2"), {"n": number}))
                self.inbox.task_done()

    def start(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self.run(), name="consumer")


async def main() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
    consumer = Consumer(engine)
    consumer.start()
    for number in (1, 2, 3):
        consumer.inbox.put_nowait(number)
    await consumer.inbox.join()
    print(consumer.done)


if __name__ == "__main__":
    asyncio.run(main())
