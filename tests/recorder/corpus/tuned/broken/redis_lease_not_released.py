"""A script that sends raw commands over a connection of its own, taken from the pool.

On the early return it does not release the connection.
"""

# needs: redis
# drivers: aiosqlite

import asyncio
import os

from redis.asyncio import ConnectionPool


async def command(pool, *words):
    connection = await pool.get_connection()  # finding: redis-leaked-connection
    await connection.send_command(*words)
    answer = await connection.read_response()
    if answer is None:
        return "nothing"
    await pool.release(connection)
    return answer


async def main():
    pool = ConnectionPool.from_url(os.environ["REDIS_URL"], decode_responses=True)
    print(await command(pool, "PING"))
    print(await command(pool, "GET", "redis_lease_not_released:missing"))
    await pool.aclose()


asyncio.run(main())
