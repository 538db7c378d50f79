"""A rate limiter in Redis, used by a server's loop and by an import that runs its own loop in a thread.

Both use one client, and the thread is given the connection that the server's loop has opened.
"""

# needs: redis
# drivers: aiosqlite

import asyncio
import os
import threading

from redis.asyncio import Redis
from redis.exceptions import RedisError


class Limiter:
    def __init__(self, client, limit):
        self.client = client
        self.limit = limit

    async def allowed(self, who):
        return await self.hits(who) <= self.limit

    async def hits(self, who):
        return await self.client.incr(f"redis_client_lent_to_a_thread:{who}")  # finding: redis-crossed-loops


class Import(threading.Thread):
    def __init__(self, limiter):
        super().__init__(name="import")
        self.limiter = limiter
        self.answer = None

    def run(self):
        try:
            self.answer = asyncio.run(self.limiter.allowed("import"))
        except (RuntimeError, RedisError) as error:
            self.answer = type(error).__name__


async def main():
    client = Redis.from_url(os.environ["REDIS_URL"])
    await client.delete("redis_client_lent_to_a_thread:web", "redis_client_lent_to_a_thread:import")
    limiter = Limiter(client, 10)
    print("web:", await limiter.allowed("web"))
    job = Import(limiter)
    job.start()
    job.join()
    print("import:", job.answer)


asyncio.run(main())
