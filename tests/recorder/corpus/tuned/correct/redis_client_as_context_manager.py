"""Celery-like jobs that report their progress, each with a Redis client of its own in async with."""

# needs: redis
# drivers: aiosqlite

import asyncio
import os

import redis.asyncio as redis


async def convert(name):
    key = f"redis_client_as_context_manager:{name}"
    async with redis.from_url(os.environ["REDIS_URL"], decode_responses=True) as client:
        for percent in (0, 50, 100):
            await client.set(key, percent, ex=5)
            await client.publish(key, percent)
        return await client.get(key)


for job in ("one.mov", "two.mov"):
    print(job, asyncio.run(convert(job)))
