"""A web service that counts its requests in Redis with one pipeline for each request, several at the same time."""

# needs: redis
# drivers: aiosqlite

import asyncio
import os

import redis.asyncio as redis

PREFIX = "redis_pipeline_of_counters"


async def count(client, path):
    async with client.pipeline(transaction=True) as pipe:
        hits, _ = await pipe.incr(f"{PREFIX}:{path}").expire(f"{PREFIX}:{path}", 60).execute()
    return path, hits


async def main():
    client = redis.from_url(os.environ["REDIS_URL"])
    try:
        await client.delete(f"{PREFIX}:/a", f"{PREFIX}:/b")
        print(await asyncio.gather(count(client, "/a"), count(client, "/b")))
        print(await count(client, "/a"))
    finally:
        await client.aclose()


asyncio.run(main())
