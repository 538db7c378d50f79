"""The pool: which databases may be named, and how their connections are kept."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from sqlalchemy import event, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.pool.base import ConnectionPoolEntry

from labkit.errors import InvalidSetting, Unreachable
from labkit.settings import Settings

__all__ = ["DRIVERS", "Pool", "check_answer", "check_database_url", "create_pool"]

DRIVERS = ("mysql+asyncmy", "mysql+aiomysql", "sqlite+aiosqlite")


def check_database_url(url: str | SecretStr | None) -> URL:
    """
    Return `url` taken apart.

    Raises `InvalidSetting`, without the password, for anything that this engine can't use.
    """
    if not url:
        raise InvalidSetting(
            "A database URL was wanted, found none.",
            remedy="Set LABKIT_DATABASE_URL, or take it from `async with start_services() as services:`.",
        )
    try:
        parsed = make_url(url.get_secret_value() if isinstance(url, SecretStr) else url)
    except (ArgumentError, ValueError):
        raise InvalidSetting(
            "The database URL can't be read.",
            remedy="Write it as mysql+asyncmy://user:password@host:port/database, with @ : / % in a password "
            "written as %40 %3A %2F %25.",
        ) from None
    if parsed.drivername not in DRIVERS:
        raise InvalidSetting(
            f"The database URL names {parsed.drivername!r}, which is not an async driver known here.",
            remedy=f"Use one of: {', '.join(DRIVERS)}.",
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InvalidSetting(
            "A pool needs a database that all its connections can see, found SQLite in memory.",
            remedy="Name a file: sqlite+aiosqlite:///lab.db.",
        )
    if not parsed.database:
        raise InvalidSetting(
            "The database URL names no database.", remedy=f"Write {parsed.drivername}://…/database."
        )
    return parsed


class Pool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool for asyncio, which also counts who waits, and closes what comes back too late."""

    # What it logs is what everybody else's pool logs, under the same name.
    _sqla_logger_namespace = "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = 0
        self.disposed = False

    def _do_get(self) -> ConnectionPoolEntry:
        self.waiting += 1
        try:
            return super()._do_get()
        finally:
            self.waiting -= 1

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        # After dispose() nobody would ever close what comes back: SQLAlchemy's own pool keeps it open.
        if self.disposed:
            try:
                record.close()
            finally:
                self._dec_overflow()
        else:
            super()._do_return_conn(record)

    def dispose(self) -> None:
        """Close the idle connections now, and the others as they come back; go on counting these."""
        self.disposed = True
        out = self.checkedout()
        super().dispose()
        self._overflow = out - self.size()

    def recreate(self) -> Pool:
        """Return this pool: a new one in its place would open connections that nobody closes."""
        return self


def create_pool(url: URL, settings: Settings, *, pre_ping: bool = True) -> AsyncEngine:
    """
    Return an SQLAlchemy engine on `url` that opens nothing yet.

    Its connections stay in MySQL's autocommit mode, so that a read outside a unit of work is one round trip;
    a unit of work says BEGIN itself (see `unit.py`). With `pre_ping` each is asked whether it still answers before
    it is given out.
    """
    mysql = url.get_backend_name() == "mysql"
    pool = create_async_engine(
        url,
        poolclass=Pool,
        pool_size=settings.pool_size,
        max_overflow=settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        pool_recycle=int(settings.pool_recycle),
        pool_pre_ping=pre_ping,
        echo_pool="debug" if settings.echo_pool else None,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        # SQLite has one writer at a time: to wait for it is to wait for a connection.
        connect_args={"connect_timeout": settings.connect_timeout} if mysql else {"timeout": settings.pool_timeout},
    )
    # A rollback is skipped only when the server itself has said that no transaction is open.
    setattr(pool.dialect, "detect_autocommit_setting", _has_no_transaction)  # noqa: B010
    if mysql:
        # SQLAlchemy 2.0 asks an installed PyMySQL 1.2 how to ping, and gets it wrong for the async drivers.
        setattr(pool.dialect, "do_ping", _ping)  # noqa: B010
    else:
        event.listen(pool.sync_engine, "connect", _keep_foreign_keys)
        event.listen(pool.sync_engine, "invalidate", _end_transaction)
    return pool


async def check_answer(pool: AsyncEngine) -> None:
    """Raise `Unreachable`, without the password, unless the database answers."""
    try:
        async with pool.connect() as connection:
            await connection.execute(select(1))
    except (SQLAlchemyError, OSError) as error:
        raise Unreachable(
            f"No database answers at {pool.url!r}: {getattr(error, 'orig', error)}.",
            remedy="Start it, or check the URL.",
        ) from None


def _has_no_transaction(connection: Any) -> bool:
    driver = connection.driver_connection
    if hasattr(driver, "get_transaction_status"):
        return not driver.get_transaction_status()
    return not driver.in_transaction


def _ping(connection: Any) -> bool:
    connection.ping(False)
    return True


def _keep_foreign_keys(connection: Any, record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _end_transaction(connection: Any, record: ConnectionPoolEntry, error: BaseException | None) -> None:
    # SQLite closes a connection only when its last cursor is gone: one in the traceback of a cancelled task would
    # keep the transaction open, and the whole file locked. (A SELECT half read still keeps others from committing.)
    connection.rollback()
