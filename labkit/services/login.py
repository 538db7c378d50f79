"""Log in to MySQL and Redis, as an application would: the only proof that a server is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from labkit.errors import CannotStart, Unreachable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["ATTEMPT", "database_version", "redis_version", "until_ready"]

Answer = TypeVar("Answer")
ATTEMPT = 5.0  # longest wait for one login to a server that is starting
PAUSE = 0.03  # between two attempts to log in to a server that is starting


async def database_version(url: str, *, timeout: float) -> tuple[str, str]:
    """
    Log in at the SQLAlchemy URL and return what answers: ("mysql", "9.7.4"), ("mariadb", …) or ("sqlite", …).

    Raises `Unreachable`, without the password.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    try:
        async with asyncio.timeout(timeout):
            found = await _ask(parsed, "SELECT sqlite_version()" if sqlite else "SELECT VERSION()")
    except (SQLAlchemyError, OSError, EOFError, ValueError, RuntimeError) as fault:
        raise _unreachable("database", parsed.render_as_string(), fault, timeout) from fault
    if sqlite:
        return "sqlite", found
    return "mariadb" if "mariadb" in found.lower() else "mysql", found.partition("-")[0]


async def _ask(url: URL, statement: str) -> str:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return str((await connection.exec_driver_sql(statement)).scalar_one())
    finally:
        await engine.dispose()


async def redis_version(url: str, *, timeout: float) -> str:
    """Log in at the redis-py URL and return the server's version; raises `Unreachable`, without the password."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

    # One attempt: a caller that waits for a starting server asks again by itself.
    client = Redis.from_url(url, retry=Retry(NoBackoff(), 0))
    try:
        async with asyncio.timeout(timeout):
            about = await client.info("server")
    except (RedisError, OSError, ValueError) as fault:
        raise _unreachable("Redis", hide_password(url), fault, timeout) from fault
    finally:
        await client.aclose()
    return str(about["redis_version"])


def hide_password(url: str) -> str:
    """Return the redis-py URL with *** for its password."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    user = login.partition(":")[0]
    return f"{parts.scheme}://{user}:***{at}{host}{parts.path}" if at else f"{parts.scheme}://{host}{parts.path}"


def _unreachable(what: str, where: str, fault: Exception, timeout: float) -> Unreachable:
    if isinstance(fault, TimeoutError):
        found = f"no answer within {timeout:g} s"
    else:
        found = " ".join(str(getattr(fault, "orig", None) or fault).split()).rstrip(".")
    return Unreachable(
        f"Expected a {what} at {where}, got: {found}.",
        remedy="Check that the server runs there, and the user, password and database name.",
    )


async def until_ready(name: str, login: Callable[[], Awaitable[Answer]], *, timeout: float) -> Answer:
    """
    Log in again and again until the server that is starting answers.

    `login` raises `Unreachable` while it does not, and anything else when it never will.
    Raises `CannotStart` when `timeout` seconds were not enough.
    """
    last: Unreachable | None = None
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    return await login()
                except Unreachable as fault:
                    last = fault
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise CannotStart(f"{name} was to answer within {timeout:g} s of its start and did not: {last}") from last
