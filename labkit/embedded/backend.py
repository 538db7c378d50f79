"""The backend: one wire connection's own SQLite connection, its transaction, and its turn at the write lock."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from labkit.embedded import functions
from labkit.embedded.definitions import Definition
from labkit.embedded.schema import Catalog
from labkit.embedded.storing import Storing
from labkit.embedded.values import SqlFault, refuse

__all__ = ["Backend", "Result", "Shared"]

T = TypeVar("T")


@dataclass
class Shared:
    """What the connections of one server share: the file, the tables, the one write lock, the threads."""

    path: Path
    catalog: Catalog = field(default_factory=Catalog)
    write_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "labkit-embedded-sql"))
    commits: int = 0
    changed: dict[str, int] = field(default_factory=dict)  # each table, and the last commit that changed it

    def create(self) -> None:
        """Make the file, so that a folder or disk at fault is told at the start."""
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.execute("PRAGMA journal_mode=WAL")

    def note_commit(self, tables: set[str]) -> None:
        """Note that a commit has changed these tables, and those whose rows follow theirs."""
        self.commits += 1
        while tables:
            self.changed |= dict.fromkeys(tables, self.commits)
            children = {child.name for name in tables for child, key in self.catalog.referring(name) if key.actions}
            tables = {name for name in children if self.changed.get(name) != self.commits}


@dataclass(frozen=True)
class Result:
    """What SQLite gave back for one statement."""

    rows: list[tuple[Any, ...]]
    changed: int


class Backend:
    """
    Run statements in one SQLite connection, in MySQL's transactions.

    SQLite has one write lock for the whole file. It is handed out here, in the order of asking, so that a
    statement that waits for it blocks neither the server's loop nor a thread, and can be killed.
    """

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.explicit = False  # between BEGIN and COMMIT or ROLLBACK
        self.autocommit = True
        self.refresh = False  # READ COMMITTED: each statement sees what is committed by then
        self.wait = 50.0  # innodb_lock_wait_timeout
        self._checks_keys = self._wants_keys_checked = True  # differ between a SET and the end of a transaction
        self._writing = False
        self._savepoints: list[str] = []
        self._written: set[str] = set()  # the tables that the open transaction has changed
        self._seen: int | None = None  # the last commit that it sees, once it has read something
        self._stale: set[str] = set()  # the tables that others have changed since, and that it sees as they are now
        self._db = sqlite3.connect(shared.path, timeout=5, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA foreign_keys=ON")
        functions.install(self._db)
        self.storing = Storing(shared.catalog, self._db)

    @property
    def in_transaction(self) -> bool:
        """Return True if a transaction is open, as the client is told."""
        return self.explicit or self._db.in_transaction

    async def begin(self, *, snapshot: bool = False) -> None:
        """Begin a transaction, after committing one that is open."""
        await self.commit()
        self.explicit = True
        await self._open()
        if snapshot:
            self._note_read()
            await self.in_thread(self._execute, "SELECT 1 FROM sqlite_master", {})

    async def commit(self) -> None:
        """Commit what is open, if anything is."""
        await self._end("COMMIT")

    async def rollback(self) -> None:
        """Roll back what is open, if anything is."""
        await self._end("ROLLBACK")

    async def _end(self, how: str) -> None:
        self.explicit = False
        self._savepoints.clear()
        self._stale.clear()
        self._seen = None
        try:
            if self._db.in_transaction:
                await self.in_thread(self._execute, how, {})
                if how == "COMMIT" and self._written:
                    self.shared.note_commit(self._written.copy())
        finally:
            self._written.clear()
            self._release()
        await self.check_keys(self._wants_keys_checked)

    async def savepoint(self, command: str, name: str) -> None:
        """Run SAVEPOINT, ROLLBACK TO or RELEASE; faults on a name that isn't there."""
        shown, name = name, name.lower()
        if command == "SAVEPOINT":
            if not self.in_transaction and self.autocommit:
                return  # without a transaction, MySQL forgets it at once
            await self._open()
            self._savepoints = [n for n in self._savepoints if n != name] + [name]
        elif name not in self._savepoints:
            raise SqlFault(1305, f"SAVEPOINT {shown} does not exist")
        else:
            keep = self._savepoints.index(name) + (command == "ROLLBACK TO")
            self._savepoints = self._savepoints[:keep]
        await self.in_thread(self._execute, f"{command} `{name}`", {})

    async def read(self, sql: str, values: Mapping[str, Any], tables: frozenset[str]) -> Result:
        """Run a query; with autocommit off, one that reads tables begins a transaction."""
        if tables & self._stale:
            raise refuse("a transaction that reads, writes, and reads again what others have changed in between")
        if tables and (self.explicit or not self.autocommit):
            if self.refresh and not self._writing:
                await self._renew("BEGIN")
            await self._open()
            self._note_read()
        return await self.in_thread(self._execute, sql, values)

    def _note_read(self) -> None:
        # The first read decides what a transaction sees: BEGIN does not, nor does a write.
        if self._seen is None:
            self._seen = self.shared.commits

    async def write(self, sql: str, values: Mapping[str, Any], table: str = "") -> Result:
        """Run a statement that changes `table`, or locks rows, after its turn at the write lock has come."""
        if self._wants_keys_checked != self._checks_keys:
            raise refuse("SET foreign_key_checks between two writes of one transaction")
        await self._lock()
        try:
            if self.explicit or not self.autocommit:
                await self._open()
            self._written |= {table} - {""}
            return await self.in_thread(self._execute, sql, values)
        finally:
            if not self._db.in_transaction:
                if self._written:
                    self.shared.note_commit(self._written.copy())
                self._written.clear()
                self._release()

    async def define(self, prepare: Callable[[], Definition]) -> None:
        """Change tables: commits what is open, as MySQL does, and can't be rolled back."""
        await self.commit()
        await self._lock()
        try:
            definition = prepare()
            await self.in_thread(self._define, definition.statements)
            definition.apply()
        finally:
            self._release()

    def _define(self, statements: list[str]) -> None:
        # Foreign keys were looked at already: SQLite would look at the rows, MySQL looks at the tables.
        self._db.execute("PRAGMA foreign_keys=OFF")
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for statement in statements:
                self._db.execute(statement)
            self._db.execute("COMMIT")
        finally:
            self._db.rollback()
            self._db.execute(f"PRAGMA foreign_keys={'ON' if self._checks_keys else 'OFF'}")

    async def check_keys(self, on: bool) -> None:
        """Turn foreign keys' checks on or off; SQLite does it between transactions only."""
        self._wants_keys_checked = on
        if on == self._checks_keys or self._writing:
            return
        switch = f"PRAGMA foreign_keys={'ON' if on else 'OFF'}"
        if self._db.in_transaction:
            self._note_stale()
            await self._renew(switch, "BEGIN")
        else:
            await self.in_thread(self._execute, switch, {})
        self._checks_keys = on

    def _note_stale(self) -> None:
        if not self.refresh and self._seen is not None:
            self._stale |= {name for name, commit in self.shared.changed.items() if commit > self._seen}
            self._seen = self.shared.commits

    async def _open(self) -> None:
        if not self._db.in_transaction:
            await self.in_thread(self._execute, "BEGIN IMMEDIATE" if self._writing else "BEGIN", {})

    async def _lock(self) -> None:
        """
        Take the write lock.

        A transaction that has only read so far is begun anew: SQLite lets no transaction write that has seen an
        older state than the newest, where MySQL's UPDATE works on the newest. What others have changed meanwhile
        MySQL would still show as it was: such tables can't be read any more.
        """
        if self._writing:
            return
        try:
            async with asyncio.timeout(self.wait):
                await self.shared.write_lock.acquire()
        except TimeoutError:
            raise SqlFault(1205, "Lock wait timeout exceeded; try restarting transaction") from None
        self._writing = True
        if self._db.in_transaction:
            self._note_stale()
            await self._renew("BEGIN IMMEDIATE")

    async def _renew(self, *begin: str) -> None:
        if self._db.in_transaction:
            for statement in ("COMMIT", *begin, *(f"SAVEPOINT `{name}`" for name in self._savepoints)):
                await self.in_thread(self._execute, statement, {})

    def _release(self) -> None:
        if self._writing:
            self._writing = False
            self.shared.write_lock.release()

    def _execute(self, sql: str, values: Mapping[str, Any]) -> Result:
        self.storing.begin_statement()
        cursor = self._db.execute(sql, values)
        return Result(cursor.fetchall(), cursor.rowcount)

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run `work` in a thread; when this task is cancelled, interrupt it, and wait until it has stopped."""
        running = asyncio.get_running_loop().run_in_executor(self.shared.threads, work, *arguments)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            while not running.done():
                self._db.interrupt()
                await asyncio.wait([running], timeout=0.01)
            with contextlib.suppress(BaseException):
                running.exception()
            raise

    def close(self) -> None:
        """Roll back, give the write lock back, and close."""
        with contextlib.suppress(sqlite3.Error):
            self._db.rollback()
        self._release()
        self._db.close()
