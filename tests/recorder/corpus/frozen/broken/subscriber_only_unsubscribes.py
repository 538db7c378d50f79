"""A live ticker that listens on a channel for as long as a page is open.

When the page is closed the ticker unsubscribes and drops its pub/sub object, which keeps its connection:
the connections of Redis grow with each page.
"""

# drivers: asyncmy
# needs: redis

import asyncio
import os

from redis.asyncio import Redis

CHANNEL = "subscriber-only-unsubscribes"


class Ticker:
    def __init__(self, client: Redis) -> None:
        self.client = client

    async def first_price(self) -> bytes:
        pubsub = self.client.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(CHANNEL)  # finding: redis-leaked-connection
        await self.client.publish(CHANNEL, "41.5")
        while (message := await pubsub.get_message(timeout=1.0)) is None:
            continue
        await pubsub.unsubscribe(CHANNEL)
        return message["data"]


async def main() -> None:
    async with Redis.from_url(os.environ["REDIS_URL"]) as client:
        for page in (1, 2):
            print(page, await Ticker(client).first_price())
        print("clients:", len(await client.client_list()) >= 3)


if __name__ == "__main__":
    asyncio.run(main())
