"""
Collect the garbage before looking.

Fails: test_the_engine_of_the_story_is_caught

Because: the collector takes the lost connection back now and not later. The noise is gone and the loss is
not: your test hides what it should show.
"""

import gc

from sqlalchemy.exc import IntegrityError

from labkit import User


async def a_duplicate_is_refused(engine_class, services):
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        refused = False
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            refused = True
        gc.collect()
        out = engine.statistics().checked_out
        assert refused, "expected: an IntegrityError; got: no error"
        assert out == 0, f"expected: every connection is back; got: {out} out"
