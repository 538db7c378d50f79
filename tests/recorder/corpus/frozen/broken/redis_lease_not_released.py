"""A monitor that asks Redis for its figures with a raw connection from the pool.

A server without the wanted section makes it return before the release, so that connection stays in use.
"""

# drivers: asyncmy
# needs: redis

import asyncio
import os

from redis.asyncio import ConnectionPool, Redis


async def raw_info(pool: ConnectionPool, section: str) -> bytes | None:
    connection = await pool.get_connection()  # finding: redis-leaked-connection
    await connection.send_command("INFO", section)
    answer = await connection.read_response()
    if not answer.strip():
        return None
    await pool.release(connection)
    return answer


async def watch(pool: ConnectionPool) -> None:
    for section in ("server", "no-such-section"):
        answer = await raw_info(pool, section)
        print(section, "found" if answer else "missing")


async def main() -> None:
    pool = ConnectionPool.from_url(os.environ["REDIS_URL"], max_connections=4)
    client = Redis.from_pool(pool)
    try:
        print("redis answers", await client.ping())
        await watch(pool)
    finally:
        await client.aclose()


if __name__ == "__main__":
    asyncio.run(main())
