"""
Complain whenever the integrity error has come.

Fails: test_the_correct_engine_passes

Because: the integrity error is what the test wants. An alarm that always rings says as little as one that
never does.
"""

from sqlalchemy.exc import IntegrityError

from labkit import User


async def a_duplicate_is_refused(engine_class, services):
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError as error:
            raise AssertionError("expected: no lost connection; got: an error") from error
