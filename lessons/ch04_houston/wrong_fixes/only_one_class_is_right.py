"""
Compare the class with the correct engine.

Fails: test_other_correct_engines_pass

Because: a test says what an engine must do, and not which one it is. Another engine that loses nothing is as right,
and tomorrow somebody breaks this one.
"""

from sqlalchemy.exc import IntegrityError

from labkit import Engine, User


async def a_duplicate_is_refused(engine_class, services):
    assert engine_class is Engine
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            return
        raise AssertionError("expected: an IntegrityError; got: no error")
