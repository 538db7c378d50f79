"""A web service that counts its requests in Redis.

A client is made for each request and never closed: one more connection for each request.
"""

# needs: redis
# drivers: aiosqlite

import asyncio
import os
from functools import partial

import redis.asyncio as redis


def get_redis():
    return redis.from_url(os.environ["REDIS_URL"])  # finding: redis-leaked-connection


def counted(name):
    def decorate(handler):
        async def wrapper(*args):
            client = get_redis()
            await client.incr(f"redis_client_per_request:{name}")
            return await handler(*args)

        return wrapper

    return decorate


@counted("index")
async def index(who):
    return f"welcome, {who}"


async def main():
    for request in (partial(index, "ada"), partial(index, "grace")):
        print(await request())


if __name__ == "__main__":
    asyncio.run(main())
