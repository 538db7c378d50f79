"""Give the engine one connection and little patience: it can't go on with one that is lost."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnection

from labkit import User
from labkit.settings import Settings


async def a_duplicate_is_refused(engine_class, services):
    settings = Settings(
        database_url=services.database_url,
        redis_url=services.redis_url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.3,
    )
    async with engine_class(settings) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            pass
        else:
            raise AssertionError("expected: an IntegrityError; got: no error")
        try:
            async with engine.session():
                await engine.find(User)
        except NoConnection as lost:
            raise AssertionError("expected: the connection is back; got: the pool is empty") from lost
