"""Write both ends of the block as methods, and let one method give everything back."""

from redis.asyncio import Redis


class present:
    def __init__(self, redis_url, room, who):
        self.redis = Redis.from_url(redis_url, decode_responses=True)
        self.pubsub = self.redis.pubsub()
        self.room = room
        self.who = who

    async def __aenter__(self):
        try:
            await self.redis.sadd(self.room, self.who)
            await self.redis.publish(self.room, self.who)
            await self.pubsub.subscribe(self.room)
            await self.pubsub.get_message(timeout=None)  # the answer: from now on no arrival is missed
        except BaseException:
            await self.leave()
            raise
        return self.next_arrival

    async def __aexit__(self, kind, error, where):
        await self.leave()

    async def leave(self):
        try:
            try:
                await self.pubsub.aclose()
            finally:
                await self.redis.srem(self.room, self.who)
        finally:
            await self.redis.aclose()

    async def next_arrival(self):
        return (await self.pubsub.get_message(timeout=None))["data"]
