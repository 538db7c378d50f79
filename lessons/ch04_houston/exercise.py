"""
A test that hears too little.

`a_duplicate_is_refused` saves the same user twice, and expects the integrity error. It gets it, and passes: for the
correct engine, and for the story's engine too, which has lost a connection by then.

Fix the test, not the engine. For an engine that has lost a connection it must raise `AssertionError`; for the
correct engine it must not.
"""

from sqlalchemy.exc import IntegrityError

from labkit import User


async def a_duplicate_is_refused(engine_class, services):
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            return
        raise AssertionError("expected: an IntegrityError; got: no error")
