"""A thread that runs a loop of its own by hand: run_until_complete, then close.

A task that it started is still pending, with a connection, when the loop is closed: destroyed, never finished.
"""

import asyncio
import os
import threading

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


class Poller:
    def __init__(self, url):
        self.url = url
        self.answers = []
        self.tasks = []

    async def watch(self, engine, changed):
        async with AsyncSession(engine) as session:
            self.answers.append(await session.scalar(text("SELECT 3")))  # finding: lost-task
            changed.set()
            await asyncio.Event().wait()

    async def poll(self):
        engine = create_async_engine(self.url)
        changed = asyncio.Event()
        self.tasks.append(asyncio.get_running_loop().create_task(self.watch(engine, changed)))
        await changed.wait()

    def run(self):
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self.poll())
        finally:
            loop.close()


poller = Poller(os.environ["DATABASE_URL"])
thread = threading.Thread(target=poller.run, name="poller")
thread.start()
thread.join()
print("answers:", poller.answers, "tasks done:", [task.done() for task in poller.tasks])
