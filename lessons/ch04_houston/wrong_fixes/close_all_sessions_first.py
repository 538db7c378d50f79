"""
Close all sessions before looking.

Fails: test_the_engine_of_the_story_is_caught

Because: `close_all_sessions` finds the sessions that the engine has lost and gives their connections back. It
mends, for this one test, what the test should have caught.
"""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import close_all_sessions

from labkit import User


async def a_duplicate_is_refused(engine_class, services):
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            await close_all_sessions()
            out = engine.statistics().checked_out
            assert out == 0, f"expected: every connection is back; got: {out} out"
            return
        raise AssertionError("expected: an IntegrityError; got: no error")
