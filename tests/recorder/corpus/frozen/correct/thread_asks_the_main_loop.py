"""A threaded program that has one loop and one engine, and sends all its questions to that loop."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


class Database:
    def __init__(self, url: str) -> None:
        self.engine = create_async_engine(url, pool_size=2)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="database loop")
        self.thread.start()

    async def _square(self, number: int) -> int:
        async with self.engine.connect() as conn:
            return await conn.scalar(text("SELECT :n * :n"), {"n": number})

    def square(self, number: int) -> int:
        return asyncio.run_coroutine_threadsafe(self._square(number), self.loop).result(timeout=10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.engine.dispose(), self.loop).result(timeout=10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def main() -> None:
    database = Database(os.environ["DATABASE_URL"])
    try:
        with ThreadPoolExecutor(max_workers=3) as threads:
            print(list(threads.map(database.square, range(6))))
    finally:
        database.close()


if __name__ == "__main__":
    main()
