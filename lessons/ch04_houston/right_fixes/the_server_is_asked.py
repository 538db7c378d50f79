"""Ask the server, after the engine was closed, which connections it still has."""

import asyncio

from sqlalchemy.exc import IntegrityError

from labkit import User
from labkit.services.evidence import connections


async def a_duplicate_is_refused(engine_class, services):
    before = {each.id for each in await connections(services)}
    refused = False
    async with engine_class(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))
        try:
            await engine.save(User(email="ada@example.org", name="Ada"))
        except IntegrityError:
            refused = True
    assert refused, "expected: an IntegrityError; got: no error"
    for _ in range(50):  # the server takes a moment to see that somebody has hung up
        left = {each.id for each in await connections(services)} - before
        if not left:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"expected: no connection of the engine's on the server; got: {len(left)}")
