"""The providers `embedded` and `sqlite`: servers in threads of this process, with nothing to install."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from labkit.process import private_folder
from labkit.services.login import database_version, redis_version
from labkit.services.provider import Probe, Provider
from labkit.services.services import CAPABILITIES, Services
from labkit.settings import Settings, install_command

__all__ = ["EMBEDDED", "SQLITE"]

ROOM = 20  # megabytes that the database file may need


def look_embedded(settings: Settings) -> Probe:
    """Look for the packages that make a MySQL and a Redis."""
    return _look("embedded", "mysql-mimic", "fakeredis")


def look_sqlite(settings: Settings) -> Probe:
    """Look for SQLite's async driver and the package that makes a Redis."""
    return _look("sqlite", "aiosqlite", "fakeredis")


def _look(provider: str, *packages: str) -> Probe:
    try:
        found = ", ".join(f"{package} {version(package)}" for package in packages)
    except PackageNotFoundError as missing:
        return Probe(provider, False, reason=f"the package {missing.name} is missing.", remedy=install_command())
    return Probe(provider, True, version=found)


@asynccontextmanager
async def start_embedded(settings: Settings) -> AsyncIterator[Services]:
    """Start both servers, each in its own thread, on a database file in a private folder."""
    # They take 0.2 s to import, and who lists the providers starts none.
    from labkit.embedded.redis import run_redis
    from labkit.embedded.server import run_mysql

    with private_folder(ROOM) as folder:
        async with run_redis() as redis, run_mysql(folder) as mysql:
            versions = {"mysql": mysql.version, "redis": redis.version}
            yield Services("embedded", mysql.url, redis.url, versions, CAPABILITIES["embedded"])


@asynccontextmanager
async def start_sqlite(settings: Settings) -> AsyncIterator[Services]:
    """Give a database file in a private folder, and a Redis in its own thread."""
    from labkit.embedded.redis import run_redis

    with private_folder(ROOM) as folder:
        async with run_redis() as server:
            database_url = f"sqlite+aiosqlite:///{folder / 'labkit.db'}"
            kind, found = await database_version(database_url, timeout=settings.connect_timeout)
            redis = await redis_version(server.url, timeout=settings.connect_timeout)
            yield Services(
                "sqlite", database_url, server.url, {kind: found, "redis": redis}, CAPABILITIES["sqlite"]
            )


EMBEDDED = Provider(
    "embedded", "mysql-mimic on SQLite, and fakeredis, in this process", look_embedded, start_embedded
)
SQLITE = Provider("sqlite", "a SQLite file, no database server: the contrast", look_sqlite, start_sqlite)
