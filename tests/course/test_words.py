"""What lessons 1 and 9 say of SQLAlchemy's words holds for the SQLAlchemy that is installed."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from labkit.scene import private_loop
from labkit.scene.capture import Capture
from labkit.services import Services

GARBAGE = "The garbage collector is trying to clean up non-checked-in connection"


def new_asker(services: Services) -> Callable[[], Awaitable[int]]:
    engine = create_async_engine(services.database_url)

    async def ask() -> int:
        async with engine.connect() as connection:
            return int(await connection.scalar(text("SELECT 1")))

    return ask


def test_a_pool_on_a_second_loop_speaks_of_the_collector_with_sqlalchemy_20_alone(services: Services) -> None:
    ask = new_asker(services)
    first, second, third = (private_loop(ask) for _ in range(3))
    with Capture():  # what the pool has left is not to be heard in another test
        del ask
        gc.collect()

    assert (first.get(), third.get()) == (1, 1)
    assert "attached to a different loop" in str(second.exception)
    assert any(each.says("RuntimeError: Event loop is closed") for each in second.silent_failures)
    assert second.says(GARBAGE) == version("sqlalchemy").startswith("2.0.")
    assert not any(each.loop_closed for each in second.silent_failures if "sqlalchemy" in each.source)
