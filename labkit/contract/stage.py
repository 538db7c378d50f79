"""What clauses begin with: an open engine, a new user to save, a loop that ends, and the server's own count."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import itertools
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import text

from labkit.engine import Engine, User
from labkit.services import Services
from labkit.settings import Settings

__all__ = ["connection_of", "in_place_of_this_loop", "new_engine", "new_user", "on_another_loop", "opened"]

T = TypeVar("T")
Scene = Callable[..., Coroutine[Any, Any, Any]]

_people = itertools.count(1)


def new_user(name: str = "Ada") -> User:
    """Return a user that is not saved yet."""
    return User(email=f"{name.lower()}-{os.getpid()}-{next(_people)}@example.org", name=name)


def new_engine(engine_class: type[Engine], services: Services, *, driver: str = "", **chosen: Any) -> Engine:
    """Return an engine that is not open yet; `chosen` are `Settings`."""
    # An embedded Redis shares this process with what keeps it busy: only clauses about an outage hurry.
    chosen.setdefault("redis_timeout", 10.0)
    url = services.database_url.replace("asyncmy", driver) if driver else services.database_url
    return engine_class(Settings(database_url=url, redis_url=services.redis_url, **chosen))


@asynccontextmanager
async def opened(engine_class: type[Engine], services: Services, **chosen: Any) -> AsyncIterator[Engine]:
    """Give an open engine whose tables are there."""
    async with new_engine(engine_class, services, **chosen) as engine:
        await engine.create_tables()
        yield engine


async def connection_of(engine: Engine) -> int:
    """Return the number under which the server lists a connection of this engine, which lies idle afterwards."""
    async with engine.session() as session:
        return int((await session.execute(text("SELECT CONNECTION_ID()"))).scalar_one())


async def on_another_loop(scene: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    """
    Run `scene(*args)` on its own event loop, in a thread, which closes; return its result.

    Then the garbage is collected, so that what was left open fails now.
    """
    result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    thread = threading.Thread(target=_run, args=(scene, args, result), name="another loop", daemon=True)
    thread.start()
    try:
        return await result
    finally:
        # Not before its end does a thread let go of its loop.
        thread.join()


def in_place_of_this_loop(scene: Scene, *args: Any) -> Any:
    """
    Run `scene(*args)` on its own event loop, in a thread, while the loop that runs here stands still.

    What comes for one of its connections meanwhile is read by no other task: no race decides which waits for it.
    """
    with concurrent.futures.ThreadPoolExecutor(1, "another loop") as thread:
        return thread.submit(asyncio.run, scene(*args)).result()


def _run(
    scene: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...], result: asyncio.Future[Any]
) -> None:
    answer, error = None, None
    try:
        answer = asyncio.run(scene(*args))
    except BaseException as raised:
        error = raised
    gc.collect()
    loop = result.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(_answer, result, answer, error)


def _answer(result: asyncio.Future[Any], answer: Any, error: BaseException | None) -> None:
    if result.done():
        return
    if error is None:
        result.set_result(answer)
    else:
        result.set_exception(error)
