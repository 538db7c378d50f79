"""The provider `url`: your own servers, at LABKIT_DATABASE_URL and LABKIT_REDIS_URL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from labkit.errors import InvalidSetting
from labkit.services.login import database_version, redis_version
from labkit.services.provider import Probe, Provider
from labkit.services.services import CAPABILITIES, Services
from labkit.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.engine import URL as DatabaseURL

__all__ = ["URL", "check_database_url", "check_redis_url"]

DRIVERS = ("mysql+asyncmy", "mysql+aiomysql", "sqlite+aiosqlite")
SCHEMES = ("redis", "rediss", "unix")
QUOTING = "with @ : / % in a password written as %40 %3A %2F %25"


def look(settings: Settings) -> Probe:
    """Look whether both URLs are set and can be read; the servers are not asked."""
    if missing := _missing(settings):
        return Probe("url", False, reason=f"{' and '.join(missing)} not set.", remedy=f"export {missing[0]}=…")
    try:
        urls = _urls(settings)
    except InvalidSetting as invalid:
        return Probe("url", False, reason=invalid.message, remedy=invalid.remedy)
    return Probe("url", True, version=urls[0].get_backend_name())


@asynccontextmanager
async def start(settings: Settings) -> AsyncIterator[Services]:
    """Log in to both servers and read what they are; nothing is started and nothing stopped."""
    database, redis = _urls(settings)
    database_url = database.render_as_string(hide_password=False)
    kind, version = await database_version(database_url, timeout=settings.connect_timeout)
    yield Services(
        "url",
        database_url,
        redis,
        versions={kind: version, "redis": await redis_version(redis, timeout=settings.connect_timeout)},
        capabilities=CAPABILITIES["sqlite" if kind == "sqlite" else "url"],
    )


def _missing(settings: Settings) -> list[str]:
    given = {"LABKIT_DATABASE_URL": settings.database_url, "LABKIT_REDIS_URL": settings.redis_url}
    return [name for name, value in given.items() if value is None or not value.get_secret_value()]


def _urls(settings: Settings) -> tuple[DatabaseURL, str]:
    missing = _missing(settings)
    if missing or settings.database_url is None or settings.redis_url is None:
        raise InvalidSetting(
            f"The provider 'url' needs {' and '.join(missing)}: not set.",
            remedy="Set LABKIT_DATABASE_URL and LABKIT_REDIS_URL, or use another provider.",
        )
    database = check_database_url(settings.database_url.get_secret_value())
    return database, check_redis_url(settings.redis_url.get_secret_value())


def check_database_url(url: str) -> DatabaseURL:
    """Return `url` taken apart; raises `InvalidSetting`, which repeats nothing that may be a password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidSetting(
            "LABKIT_DATABASE_URL can't be read.",
            remedy=f"Write it as mysql+asyncmy://user:password@host:port/database, {QUOTING}.",
        ) from None
    if parsed.drivername not in DRIVERS:
        raise InvalidSetting(
            f"LABKIT_DATABASE_URL names the driver {parsed.drivername!r}; expected an async one.",
            remedy=f"Use one of: {', '.join(DRIVERS)}.",
        )
    if not parsed.database:
        raise InvalidSetting(
            "LABKIT_DATABASE_URL names no database.", remedy=f"Write {parsed.drivername}://…/database."
        )
    return parsed


def check_redis_url(url: str) -> str:
    """Return `url`; raises `InvalidSetting`, which repeats nothing that may be a password."""
    from redis.asyncio.connection import parse_url

    try:
        parts = parse_url(url)
    except ValueError:
        parts = {}
    # An unquoted @ or / in the password would have redis-py talk to another host, or to none.
    if not parts.get("host") and not parts.get("path"):
        raise InvalidSetting(
            f"LABKIT_REDIS_URL can't be read; expected one that begins with {'://, '.join(SCHEMES)}://.",
            remedy=f"Write it as redis://:password@host:port/0, {QUOTING}.",
        )
    return url


URL = Provider("url", "your own servers, at LABKIT_DATABASE_URL and LABKIT_REDIS_URL", look, start)
