"""
Look whether the engine has the method that is right in the correct engine.

Fails: test_another_engine_that_loses_connections_is_caught

Because: this reads the code and does not run it. An engine with a method of its own can be right, and one with the
right method can lose its connection elsewhere.
"""

from sqlalchemy.exc import IntegrityError

from labkit import Engine, User


async def a_duplicate_is_refused(engine_class, services):
    assert engine_class.sessions is Engine.sessions
    assert engine_class.save is Engine.save
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            return
        raise AssertionError("expected: an IntegrityError; got: no error")
