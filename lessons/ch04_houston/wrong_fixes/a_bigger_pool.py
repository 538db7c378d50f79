"""
Give the engine a bigger pool.

Fails: test_the_engine_of_the_story_is_caught

Because: a bigger pool has more connections to lose. It takes longer until somebody notices, and your test
still asks nobody.
"""

from sqlalchemy.exc import IntegrityError

from labkit import User
from labkit.settings import Settings


async def a_duplicate_is_refused(engine_class, services):
    settings = Settings(database_url=services.database_url, redis_url=services.redis_url, pool_size=20)
    async with engine_class(settings) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            await engine.find(User)
            return
        raise AssertionError("expected: an IntegrityError; got: no error")
