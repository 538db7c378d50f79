"""
Listen to the events of every pool: each checkout adds a connection, each checkin takes one away.

The events come from the pool itself, and so they also count what an engine hides. They are asked before the loop
ends and before the garbage collector brings anything back.
"""

from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import Pool

from labkit import User


@contextmanager
def connections_out():
    out = set()

    def lent(connection, record, proxy):
        out.add(record)

    def given_back(connection, record):
        out.discard(record)

    event.listen(Pool, "checkout", lent)
    event.listen(Pool, "checkin", given_back)
    try:
        yield out
    finally:
        event.remove(Pool, "checkout", lent)
        event.remove(Pool, "checkin", given_back)


async def a_duplicate_is_refused(engine_class, services):
    with connections_out() as out:
        async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
            await engine.save(User(email="ada@example.org", name="Ada"))
            try:
                await engine.save(User(email="ada@example.org", name="Ada"))
            except IntegrityError:
                assert not out, f"expected: every connection is back; got: {len(out)} out"
                return
            raise AssertionError("expected: an IntegrityError; got: no error")
