"""
Sleep, so that the connection has time to come back.

Fails: test_the_engine_of_the_story_is_caught

Because: nobody is on the way with it. The session that holds the connection has been forgotten, and time does
not remind anybody.
"""

import asyncio

from sqlalchemy.exc import IntegrityError

from labkit import User


async def a_duplicate_is_refused(engine_class, services):
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            await asyncio.sleep(0.2)
            return
        raise AssertionError("expected: an IntegrityError; got: no error")
