"""
The error that was wanted says nothing of the connection on which it came.

Who has caught it asks a second question: has everything that was lent come back? The pool knows, and it has to be
asked while the loop still runs and before the garbage collector tidies up: the number of connections that are out
is then the number that somebody holds, and nobody should.
"""

from sqlalchemy.exc import IntegrityError

from labkit import User


async def a_duplicate_is_refused(engine_class, services):
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            out = engine.statistics().checked_out
            assert out == 0, f"expected: every connection is back; got: {out} out"
            return
        raise AssertionError("expected: an IntegrityError; got: no error")
