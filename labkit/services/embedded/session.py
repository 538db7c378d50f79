"""The session: what one connection is, and what each statement that reaches it does."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlglot import exp

from labkit.services.embedded.answers import Done, Rows, affected, explain
from labkit.services.embedded.backend import Backend
from labkit.services.embedded.catalog import DATABASE
from labkit.services.embedded.ddl import define
from labkit.services.embedded.faults import REFUSED, SqlFault, refuse
from labkit.services.embedded.information import information
from labkit.services.embedded.plans import Plan
from labkit.services.embedded.settings import apply_set, honour
from labkit.services.embedded.show import describe, show
from labkit.services.embedded.statements import Planner, is_planned, parse
from labkit.services.embedded.variables import Variables

__all__ = ["Peers", "Session"]

PLACE = re.compile(r"`(?:[^`]|``)*`|'(?:[^']|'')*'|:([a-z_]\w*)")
SAVEPOINT = re.compile(r"\s*(SAVEPOINT|RELEASE\s+SAVEPOINT)\s+`?([^`;\s]+)`?\s*;?\s*$", re.IGNORECASE)
ISOLATION = re.compile(r"\s*SET\s+(SESSION\s+)?TRANSACTION\s+ISOLATION\s+LEVEL\s+([\w ]+?)\s*;?\s*$", re.IGNORECASE)
KILL = re.compile(r"\s*KILL\s+(?:(CONNECTION|QUERY)\s+)?(\d+|CONNECTION_ID\(\))\s*;?\s*$", re.IGNORECASE)
START = re.compile(r"\s*START\s+TRANSACTION\b\s*(.*?);?\s*$", re.IGNORECASE | re.DOTALL)


class Peers(Protocol):
    """What a session may ask of the server: who is connected, and to end one of them."""

    def process_list(self) -> list[tuple[Any, ...]]:
        """Return id, user, host, db, command, time, state and info of each connection."""

    def kill(self, number: int, *, query_only: bool) -> None:
        """End a connection, or just what it runs."""


class Session:
    """Answer the statements of one connection."""

    def __init__(self, peers: Peers, backend: Backend, planner: Planner) -> None:
        self.peers: Peers = peers
        self.backend = backend
        self.planner = planner
        self.variables: Variables = Variables()
        self.database: str | None = None
        self.username: str | None = None
        self.host = "127.0.0.1"
        self.connection_id = 0
        self.count_found = False
        self.last_insert_id = 0

    async def execute(self, sql: str) -> Done | Rows:
        """Run one statement and answer it; raise `SqlFault` as MySQL would."""
        if not is_planned(sql):
            return await self._command(sql)
        plan, values = self.planner.plan(sql, count_found=self.count_found)
        return await self._run(plan, values)

    async def _run(self, plan: Plan, values: dict[str, Any]) -> Done | Rows:
        if plan.information is not None:
            return information(plan.information.copy(), values, self)
        if plan.sleep is not None:
            await self._sleep(plan.sleep)
        values = self.known_values(plan.sql, values)
        try:
            result = await self._work(plan, values)
        except sqlite3.Error as error:
            fault = explain(error, plan, self.backend)
            self._number_again(plan, fault)
            raise fault from error
        if plan.columns is not None:
            return Rows(plan.columns, result.rows)
        self.last_insert_id = self.backend.storing.generated or self.last_insert_id
        return affected(plan, self.backend, result.changed, count_found=self.count_found)

    def _number_again(self, plan: Plan, fault: SqlFault) -> None:
        """Give the next row of a table the number that MySQL gives after a statement that failed."""
        catalog, storing = self.backend.shared.catalog, self.backend.storing
        if (number := storing.next_before) is None:
            return
        catalog.restart_numbers(plan.table, number)
        if fault.number == REFUSED:
            return
        # Rows before the wrong one were written and taken back; of the others MySQL numbers a duplicate only, and
        # those that came with it.
        for row, given in storing.given.items():
            if row < storing.row_number:
                catalog.skip_number(plan.table, given)
        if storing.numbered and (fault.number == 1062 or plan.rows > 1):
            catalog.restart_numbers(plan.table, number + plan.rows)
            if storing.row_number > 1:
                self.last_insert_id = storing.generated

    async def _work(self, plan: Plan, values: dict[str, Any]) -> Any:
        if plan.locks:
            return await self.backend.write(plan.sql, values, plan.table)
        return await self.backend.read(plan.sql, values, plan.reads)

    def known_values(self, sql: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return those of the statement's values that its SQL has places for, and those that the session knows."""
        return {name: values[name] if name in values else self._known(name) for name in PLACE.findall(sql) if name}

    def _known(self, name: str) -> Any:
        if name.startswith("now_"):
            digits = int(name[4:])
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            return now[: 20 + digits] if digits else now[:19]
        if name.startswith("var_"):
            return self.variables[name[4:]]
        return {
            "slept": 0,
            "connection_id": self.connection_id,
            "last_insert_id": self.last_insert_id,
            "database": self.database,
            "version": self.variables["version"],
            "user": f"{self.username}@{self.host}",
            "current_user": f"{self.username}@%",
            "curdate": datetime.now(UTC).date().isoformat(),
        }[name]

    async def _sleep(self, argument: exp.Expr) -> None:
        try:
            seconds = float(argument.name)
        except ValueError:
            raise SqlFault(1210, "Incorrect arguments to sleep.") from None
        await asyncio.sleep(seconds)

    async def _command(self, sql: str) -> Done | Rows:
        if found := SAVEPOINT.match(sql):
            await self.backend.savepoint(found[1].split()[0].upper(), found[2])
            return Done()
        if found := KILL.match(sql):
            await self._kill(found[2], query_only=(found[1] or "").upper() == "QUERY")
            return Done()
        if found := ISOLATION.match(sql):
            if not found[1]:
                raise refuse("SET TRANSACTION for the next transaction only")
            self.variables.set("transaction_isolation", found[2])
            await honour(self)
            return Done()
        if found := START.match(sql):
            await self._start(found[1].upper())
            return Done()
        return await self._perform(parse(sql)) or Done()

    async def _perform(self, node: exp.Expr) -> Rows | None:
        match node:
            case exp.Show():
                return show(node, self)
            case exp.Describe() if isinstance(node.this, exp.Table):
                return describe(node.this, self.backend.shared.catalog)
            case exp.Transaction():
                await self.backend.begin()
            case exp.Commit():
                await self.backend.commit()
            case exp.Rollback():
                await self._rollback(node)
            case exp.Set():
                await apply_set(node, self)
            case exp.Use():
                self.use(node.this.name)
            case exp.Create() | exp.Drop() | exp.TruncateTable():
                await self._define(node)
            case _:
                raise refuse(node.sql("mysql")[:80])
        return None

    async def _start(self, options: str) -> None:
        if options not in ("", "READ WRITE", "WITH CONSISTENT SNAPSHOT"):
            raise refuse(f"START TRANSACTION {options}")
        await self.backend.begin(snapshot=options.startswith("WITH"))

    async def _rollback(self, node: exp.Expr) -> None:
        savepoint = node.args.get("savepoint")
        if savepoint is None:
            await self.backend.rollback()
        else:
            await self.backend.savepoint("ROLLBACK TO", savepoint.name)

    async def _define(self, node: exp.Expr) -> None:
        checks = bool(self.variables["foreign_key_checks"])
        try:
            await self.backend.define(lambda: define(node, self.backend.shared.catalog, check_keys=checks))
        except sqlite3.IntegrityError:
            raise refuse("a unique index over rows that are not") from None

    def use(self, database: str) -> None:
        """Choose the database; there is one."""
        if database != DATABASE:
            raise SqlFault(1049, f"Unknown database '{database}'")
        self.database = database

    async def _kill(self, wanted: str, *, query_only: bool) -> None:
        number = int(wanted) if wanted.isdigit() else self.connection_id
        if number == self.connection_id and query_only:
            raise SqlFault(1317, "Query execution was interrupted")
        self.peers.kill(number, query_only=query_only)
        await asyncio.sleep(0)  # who killed itself ends here
