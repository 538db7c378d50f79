"""Connections: which databases may be named, and how their connections are made, tested, limited and given back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event, make_url, select
from sqlalchemy.engine import URL, Connection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DisconnectionError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection

from labkit.errors import InvalidSetting, NotOpen, Unreachable
from labkit.settings import Settings

__all__ = ["DRIVERS", "Pool", "check_answer", "check_database_url", "new_engine", "new_reader", "ping"]

Check = Callable[[Any, float, float], None]

DEADLOCK, NO_SAVEPOINT = 1213, 1305  # MySQL's numbers for errors
ROLLED_BACK = "rolled_back"
DRIVERS = ("mysql+asyncmy", "mysql+aiomysql", "sqlite+aiosqlite")


def check_database_url(url: str | SecretStr | None) -> URL:
    """
    Return `url` as SQLAlchemy's `URL`.

    Raises `InvalidSetting`, without the password, for anything that this engine can't use.
    """
    if not url:
        raise InvalidSetting(
            "Expected a database URL, got none.",
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
            "Expected a database that all connections of a pool can see, got SQLite in memory.",
            remedy="Name a file: sqlite+aiosqlite:///lab.db.",
        )
    if {"password", "passwd"} & parsed.query.keys():
        raise InvalidSetting(
            "The database URL has its password among the options, where it would be shown.",
            remedy=f"Write {parsed.drivername}://user:password@host:port/database.",
        )
    if not parsed.database:
        raise InvalidSetting(
            "The database URL names no database.", remedy=f"Write {parsed.drivername}://…/database."
        )
    return parsed


class Pool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool for asyncio, which also counts the callers that wait for a connection."""

    # What it logs is what everybody else's pool logs, under the same name.
    _sqla_logger_namespace = "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"
    waiting = 0

    def connect(self) -> PoolProxiedConnection:
        """Return a connection, as SQLAlchemy's pool does."""
        self.waiting += 1
        try:
            return super().connect()
        finally:
            self.waiting -= 1


def new_engine(url: URL, settings: Settings, check: Check) -> AsyncEngine:
    """
    Return an SQLAlchemy engine on `url` that opens nothing yet, and gives out and takes back its connections so:

    - `check(connection, seconds, Settings.ping_after)` is called before one that was idle is given out;
    - one that comes back is rolled back if the server has said that a transaction is open on it, and closed if the
      engine has been disposed of meanwhile: SQLAlchemy's pool would keep it open;
    - a transaction that the server has rolled back is not committed: a block that went on after a deadlock has lost
      what it wrote before;
    - a statement that is not answered within `Settings.statement_timeout` fails, and its connection is closed;
    - a login that is not answered within `Settings.connect_timeout` fails.
    """
    engine = _create(url, settings)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    return _prepare(engine, settings, check)


def new_reader(url: URL, settings: Settings, check: Check) -> AsyncEngine:
    """Return one as `new_engine` does, on which each statement is its own transaction, and one round trip."""
    options = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True, "logging_name": "reads"}
    engine = _create(url, settings, **options)
    return _prepare(engine, settings, check)


def _create(url: URL, settings: Settings, **options: Any) -> AsyncEngine:
    try:
        return create_async_engine(url, **_options(url, settings), **options)
    except ValueError as error:
        raise InvalidSetting(
            f"An option of the database URL can't be used: {error}.", remedy="Correct its value."
        ) from None


def _options(url: URL, settings: Settings) -> dict[str, Any]:
    # SQLite has one writer at a time: to wait for it is to wait for a connection.
    arguments: dict[str, Any] = {"timeout": settings.pool_timeout}
    if url.get_backend_name() == "mysql":
        arguments = {"async_creator_fn": _connector(url.get_driver_name(), settings.connect_timeout)}
    return {
        "connect_args": arguments,
        "poolclass": Pool,
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout,
        "pool_recycle": int(settings.pool_recycle),
        "pool_reset_on_return": None,  # `_roll_back` does it, and only where a transaction is open
        "echo_pool": "debug" if settings.echo_pool else None,
    }


def _connector(driver: str, seconds: float) -> Callable[..., Awaitable[Any]]:
    async def connect(*arguments: Any, **options: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):  # the driver's own limit ends before the login
                return await import_module(driver).connect(*arguments, **options)
        except TimeoutError:
            raise TimeoutError(f"no login within {seconds} s") from None

    return connect


def _prepare(engine: AsyncEngine, settings: Settings, check: Check) -> AsyncEngine:
    disposed: list[bool] = []

    def check_idle(connection: Any, record: Any, proxy: Any) -> None:
        if disposed:
            raise NotOpen("The engine was closed meanwhile.", remedy="Open another one.")
        if (since := record.info.pop("idle_since", None)) is not None:
            check(connection, time.monotonic() - since, settings.ping_after)

    def refuse_commit(connection: Connection) -> None:
        # A block that swallowed the cancellation, or a task that holds its session still, may try.
        if disposed:
            raise NotOpen("The engine was closed meanwhile: nothing is committed.", remedy="Open another one.")

    def come_back(connection: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()
        if disposed:
            record.invalidate()

    event.listen(engine.sync_engine, "engine_disposed", lambda _: disposed.append(True))
    event.listen(engine.sync_engine, "commit", refuse_commit)
    event.listen(engine.sync_engine, "checkin", come_back)
    event.listen(engine.sync_engine, "checkout", check_idle)
    event.listen(engine.sync_engine, "reset", _roll_back)
    if engine.dialect.name == "mysql":
        _limit_statements(engine, settings.statement_timeout)
        _refuse_to_commit_the_rest(engine)
    else:
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
        event.listen(engine.sync_engine, "invalidate", _end_transaction)
    return engine


def _roll_back(connection: Any, record: Any, state: Any) -> None:
    # `terminate_only`: the garbage collector gives it back, and nothing can be awaited there.
    if not state.terminate_only and _in_transaction(connection.driver_connection):
        connection.rollback()


def _in_transaction(driver_connection: Any) -> bool:
    if hasattr(driver_connection, "get_transaction_status"):
        return bool(driver_connection.get_transaction_status())
    return bool(driver_connection.in_transaction)


def _limit_statements(engine: AsyncEngine, seconds: float) -> None:
    # A connection that is closed is an error for the caller that waits for its answer.
    limits: dict[int, asyncio.TimerHandle] = {}

    def begin(connection: Connection, *_: Any) -> None:
        end(connection)  # an object that is gone may have had the same id
        driver_connection: Any = connection.connection.driver_connection
        limits[id(connection)] = asyncio.get_running_loop().call_later(seconds, driver_connection.close)

    def end(connection: Connection | None, *_: Any) -> None:
        if limit := limits.pop(id(connection), None):
            limit.cancel()

    event.listen(engine.sync_engine, "before_cursor_execute", begin)
    event.listen(engine.sync_engine, "after_cursor_execute", end)
    event.listen(engine.sync_engine, "handle_error", lambda context: end(context.connection))


def _refuse_to_commit_the_rest(engine: AsyncEngine) -> None:
    # At a deadlock InnoDB rolls back the whole transaction, and its savepoints are gone: the error of the deadlock
    # is raised, and not that of the savepoint. The next statement begins another transaction: its commit would look
    # like that of both.
    def note(context: ExceptionContext) -> BaseException | None:
        if context.connection is None or context.is_disconnect:
            return None
        info, number = context.connection.info, (*context.original_exception.args, None)[0]
        if number == DEADLOCK:
            info[ROLLED_BACK] = context.sqlalchemy_exception
        return info.get(ROLLED_BACK) if number == NO_SAVEPOINT else None

    def refuse(connection: Connection) -> None:
        if error := connection.info.get(ROLLED_BACK):
            raise PendingRollbackError("The server has rolled back this transaction.") from error

    event.listen(engine.sync_engine, "handle_error", note)
    event.listen(engine.sync_engine, "commit", refuse)
    event.listen(engine.sync_engine, "checkin", lambda _, record: record.info.pop(ROLLED_BACK, None))


def _configure_sqlite(connection: Any, record: Any) -> None:
    # SQLAlchemy's recipe for SQLite: its driver would begin too late, and not at all before a SELECT.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # SQLite would refuse a reader that turns writer while another writes; asking first makes it wait instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _end_transaction(connection: Any, record: Any, error: BaseException | None) -> None:
    # SQLite closes a connection only when its last cursor is gone: one in the traceback of a cancelled task would
    # keep the transaction open, and the whole file locked. (A SELECT half read still keeps others from committing.)
    connection.rollback()


def ping(connection: Any) -> None:
    """Raise `DisconnectionError`, for which the pool makes a new connection, unless the server answers."""
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
    except Exception as error:
        raise DisconnectionError(f"an idle connection does not answer: {error}") from error


async def check_answer(engine: AsyncEngine) -> None:
    """Raise `Unreachable` unless the database answers; `InvalidSetting` for an option that its driver can't use."""
    try:
        async with engine.connect() as connection:
            await connection.execute(select(1))
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise InvalidSetting(
            f"The driver {engine.dialect.driver} can't use an option of the database URL: {error}.",
            remedy="Remove it, or correct its name or value.",
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise Unreachable(
            f"No database answers at {engine.url!r}: {getattr(error, 'orig', error)}.",
            remedy="Start it, or check the URL.",
        ) from None
