"""Celery-like jobs that publish their progress to the browsers over Redis.

The publisher is a singleton that outlives the loop of the first job; the second job publishes over its old
connection.
"""

# needs: redis
# drivers: aiosqlite

import asyncio
import functools
import os

from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import RedisError


class Progress:
    _only = None

    def __init__(self):
        self.redis = Redis(connection_pool=ConnectionPool.from_url(os.environ["REDIS_URL"]))

    @classmethod
    def only(cls):
        cls._only = cls._only or cls()
        return cls._only

    async def tell(self, job, percent):
        await self.redis.publish(f"progress:{job}", percent)  # finding: redis-crossed-loops


def job(function):
    @functools.wraps(function)
    def run(*args):
        try:
            return asyncio.run(function(*args))
        except (RuntimeError, RedisError) as error:
            return f"failed: {type(error).__name__}"

    return run


@job
async def convert(name):
    await Progress.only().tell(name, 50)
    return f"{name} is converted"


print(convert("one.mov"))
print(convert("two.mov"))
