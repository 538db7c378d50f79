"""Let the flight recorder say who holds a connection."""

from sqlalchemy.exc import IntegrityError

from labkit import User
from labkit.recorder import FlightRecorder


async def a_duplicate_is_refused(engine_class, services):
    async with FlightRecorder() as flight:
        engine = engine_class(database_url=services.database_url, redis_url=services.redis_url)
        async with engine:
            await engine.save(User(email="ada@example.org", name="Ada"))
            try:
                await engine.save(User(email="ada@example.org", name="Ada"))
            except IntegrityError:
                holders = flight.holders()
                assert not holders, f"expected: nobody holds a connection; got: {holders[0].task}"
            else:
                raise AssertionError("expected: an IntegrityError; got: no error")
