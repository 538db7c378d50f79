"""The session: what one connection is, and what each statement that reaches it does."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlglot import exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import SqlglotError

from labkit.services.embedded import writes
from labkit.services.embedded.answers import Done, Rows, affected, explain
from labkit.services.embedded.backend import Backend
from labkit.services.embedded.catalog import DATABASE
from labkit.services.embedded.ddl import define
from labkit.services.embedded.expressions import NeedsText
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.information import information, is_information
from labkit.services.embedded.literals import split
from labkit.services.embedded.plans import Plan, PlanCache, render
from labkit.services.embedded.queries import query
from labkit.services.embedded.show import describe, show
from labkit.services.embedded.variables import Variables

__all__ = ["Peers", "Session"]

PLACE = re.compile(r":([a-z_]\w*)")
SHAPED = re.compile(r"\s*\(?\s*(select|insert|update|delete|with)\b", re.IGNORECASE)
SAVEPOINT = re.compile(r"\s*(SAVEPOINT|RELEASE\s+SAVEPOINT)\s+`?([^`;\s]+)`?\s*;?\s*$", re.IGNORECASE)
START = re.compile(r"\s*START\s+TRANSACTION\s+(.*?);?\s*$", re.IGNORECASE | re.DOTALL)


class Peers(Protocol):
    """What a session may ask of the server: who is connected, and to end one of them."""

    def process_list(self) -> list[tuple[Any, ...]]:
        """Return id, user, host, db, command, time, state and info of each connection."""

    def kill(self, number: int, *, query_only: bool) -> None:
        """End a connection, or just what it runs."""


class Session:
    """Answer the statements of one connection."""

    def __init__(self, peers: Peers, backend: Backend, plans: PlanCache) -> None:
        self.peers = peers
        self.backend = backend
        self.plans = plans
        self.variables = Variables()
        self.database: str | None = None
        self.username: str | None = None
        self.connection_id = 0
        self.count_found = False
        self.last_insert_id = 0
        self.row_count = -1

    async def execute(self, sql: str) -> Done | Rows:
        """Run one statement and answer it; raise `SqlFault` as MySQL would."""
        try:
            answer = await self._dispatch(sql)
        except NeedsText:
            raise refuse(sql[:80]) from None
        self.row_count = answer.affected if isinstance(answer, Done) else -1
        return answer

    async def _dispatch(self, sql: str) -> Done | Rows:
        if SHAPED.match(sql):
            return await self._run(*self._plan(sql))
        if found := SAVEPOINT.match(sql):
            await self.backend.savepoint(" ".join(found[1].upper().split()[:1]), found[2])
            return Done()
        if found := START.match(sql):
            return await self._start(found[1].upper())
        return await self._command(parse(sql))

    async def _start(self, options: str) -> Done:
        if options not in ("", "READ WRITE", "WITH CONSISTENT SNAPSHOT"):
            raise refuse(f"START TRANSACTION {options}")
        await self.backend.begin(snapshot=options.startswith("WITH"))
        return Done()

    def _plan(self, sql: str) -> tuple[Plan, dict[str, Any]]:
        """Return the statement's plan, made now or kept from before, and its values."""
        shape, values = split(sql)
        version = self.backend.shared.catalog.version
        plan = self.plans.get((shape, self.count_found), version)
        if plan is not None:
            return plan, values
        if (plan := self.plans.get((sql, self.count_found), version)) is not None:
            return plan, {}
        try:
            key, plan = shape, self._translate(parse(shape))
        except NeedsText:
            key, plan, values = sql, self._translate(parse(sql)), {}
        except SqlFault as fault:
            if fault.number != 1064:
                raise
            self._translate(parse(sql))  # faults with the text that the client sent
            raise
        plan = replace(plan, version=version)
        self.plans.put((key, self.count_found), plan)
        return plan, values

    def _translate(self, node: exp.Expression) -> Plan:
        catalog = self.backend.shared.catalog
        if isinstance(node, exp.Insert):
            return writes.insert(node, catalog)
        if isinstance(node, exp.Update):
            return writes.update(node, catalog, count_found=self.count_found)
        if isinstance(node, exp.Delete):
            return writes.delete(node, catalog)
        if is_information(node):
            return Plan("", information=node)
        return self._translate_query(node)

    def _translate_query(self, node: exp.Expression) -> Plan:
        locks = bool(node.args.get("locks"))
        sleep = None
        for call in list(node.find_all(exp.Anonymous)):
            if call.name.upper() == "SLEEP":
                if node.args.get("from_") is not None or sleep is not None or len(call.expressions) != 1:
                    raise refuse("SLEEP in a query that reads a table")
                sleep = call.expressions[0].copy()
                slept = exp.Placeholder(this="slept")
                if call.parent is node and isinstance(sleep, exp.Placeholder):
                    raise NeedsText  # the column is named by its text
                call.replace(exp.alias_(slept, call.sql("mysql"), quoted=True) if call.parent is node else slept)
        columns = tuple(query(node, self.backend.shared.catalog))
        reads = node.find(exp.Table) is not None
        return Plan(render(node), columns, locks=locks, reads_tables=reads, sleep=sleep)

    async def _run(self, plan: Plan, values: dict[str, Any]) -> Done | Rows:
        if plan.information is not None:
            return information(plan.information.copy(), values, self)
        values = self.known_values(plan.sql, values)
        if plan.sleep is not None:
            values["slept"] = 0
            await self._sleep(plan.sleep, values)
        try:
            work = self.backend.write if plan.locks else self.backend.read
            result = await work(plan.sql, values)
        except sqlite3.Error as error:
            raise explain(error, plan, self.backend) from error
        if plan.columns is not None:
            return Rows(plan.columns, result.rows)
        done = affected(plan, self.backend, result.changed, count_found=self.count_found)
        self.last_insert_id = self.backend.generated or self.last_insert_id
        return done

    def known_values(self, sql: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return the statement's values together with those that the session knows."""
        wanted = PLACE.findall(sql)
        return {name: values[name] if name in values else self._known(name) for name in wanted}

    def _known(self, name: str) -> Any:
        if name.startswith("now_"):
            digits = int(name[4:])
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            return now[: 20 + digits] if digits else now[:19]
        if name.startswith("var_"):
            return self.variables[name[4:]]
        return {
            "connection_id": self.connection_id,
            "last_insert_id": self.last_insert_id,
            "row_count": self.row_count,
            "database": self.database,
            "schema": self.database,
            "version": self.variables["version"],
            "user": f"{self.username}@127.0.0.1",
            "current_user": f"{self.username}@%",
            "session_user": f"{self.username}@127.0.0.1",
            "curdate": datetime.now(UTC).date().isoformat(),
        }.get(name)

    async def _sleep(self, node: exp.Expression, values: dict[str, Any]) -> None:
        value = values.get(node.name) if isinstance(node, exp.Placeholder) else node.name
        try:
            seconds = float(str(value))
        except ValueError:
            raise SqlFault(1210, "Incorrect arguments to sleep.") from None
        await asyncio.sleep(seconds)

    async def _command(self, node: exp.Expression) -> Done | Rows:
        if isinstance(node, exp.Transaction):
            await self.backend.begin()
        elif isinstance(node, exp.Commit):
            await self.backend.commit()
        elif isinstance(node, exp.Rollback):
            await self._rollback(node)
        elif isinstance(node, exp.Set):
            await self._set(node)
        elif isinstance(node, exp.Use):
            self.use(node.this.name)
        elif isinstance(node, exp.Kill):
            self._kill(node)
        elif isinstance(node, exp.Show):
            return show(node, self)
        elif isinstance(node, exp.Describe) and isinstance(node.this, exp.Table):
            return describe(node.this, self.backend.shared.catalog)
        elif isinstance(node, exp.Create | exp.Drop | exp.TruncateTable):
            await self._define(node)
        else:
            raise refuse(node.sql("mysql")[:80])
        return Done()

    async def _rollback(self, node: exp.Expression) -> None:
        savepoint = node.args.get("savepoint")
        if savepoint is None:
            await self.backend.rollback()
        else:
            await self.backend.savepoint("ROLLBACK TO", savepoint.name)

    async def _define(self, node: exp.Expression) -> None:
        checks = bool(self.variables["foreign_key_checks"])
        await self.backend.commit()
        definition = define(node, self.backend.shared.catalog, check_keys=checks)
        await self.backend.define(definition.statements, definition.apply)

    def use(self, database: str) -> None:
        """Choose the database; there is one."""
        if database != DATABASE:
            raise SqlFault(1049, f"Unknown database '{database}'")
        self.database = database

    def _kill(self, node: exp.Expression) -> None:
        if not node.this.name.isdigit():
            raise SqlFault(1064, "You have an error in your SQL syntax; KILL wants a connection's id")
        self.peers.kill(int(node.this.name), query_only=node.text("kind").upper() == "QUERY")

    async def _set(self, node: exp.Expression) -> None:
        for item in node.expressions:
            kind = item.text("kind").upper()
            if kind in ("NAMES", "CHARACTER SET"):
                if item.name.lower() not in ("utf8mb4", "utf8", "default"):
                    raise refuse(f"SET NAMES {item.name}")
            elif kind == "TRANSACTION":
                self._set_transaction(item)
            elif kind in ("GLOBAL", "PERSIST") or not isinstance(item.this, exp.EQ):
                raise refuse(f"SET {item.sql('mysql')}")
            else:
                self.variables.set(_set_name(item.this.this), _set_value(item.this.expression))
        await self._honour()

    def _set_transaction(self, item: exp.Expression) -> None:
        for characteristic in item.expressions:
            text = characteristic.name.upper()
            if text.startswith("ISOLATION LEVEL "):
                self.variables.set("transaction_isolation", text.removeprefix("ISOLATION LEVEL "))
            elif text != "READ WRITE":
                raise refuse(f"SET TRANSACTION {text}")

    async def _honour(self) -> None:
        """Let the variables take effect; switching autocommit on commits."""
        backend, level = self.backend, self.variables["transaction_isolation"]
        backend.refresh, backend.serial = level == "READ-COMMITTED", level == "SERIALIZABLE"
        backend.wait = float(self.variables["innodb_lock_wait_timeout"])
        backend.check_keys(bool(self.variables["foreign_key_checks"]))
        autocommit = bool(self.variables["autocommit"])
        if autocommit and not backend.autocommit:
            await backend.commit()
        backend.autocommit = autocommit


def parse(sql: str) -> exp.Expression:
    """Parse one MySQL statement; raise MySQL's syntax error where it can't be."""
    try:
        found = [node for node in MySQL().parse(sql) if node is not None]
    except SqlglotError as error:
        near = error.errors[0].get("highlight") if getattr(error, "errors", None) else ""  # type: ignore[attr-defined]
        raise SqlFault(1064, f"You have an error in your SQL syntax near '{near or sql[:40]}'") from None
    if not found:
        raise SqlFault(1065, "Query was empty")
    if len(found) > 1:
        raise refuse("several statements at once")
    node = found[0]
    assert isinstance(node, exp.Expression)
    if isinstance(node, exp.Command):
        raise refuse(sql[:80])
    if isinstance(node, exp.Alias | exp.Column):
        raise SqlFault(1064, f"You have an error in your SQL syntax near '{sql[:40]}'")
    return node


def _set_name(node: exp.Expression) -> str:
    if isinstance(node, exp.SessionParameter) and node.text("kind").lower() == "global":
        raise refuse("SET GLOBAL")
    if isinstance(node, exp.Parameter):
        raise refuse("user variables")
    return node.name


def _set_value(node: exp.Expression) -> str:
    if isinstance(node, exp.Boolean):
        return str(int(node.this))
    if isinstance(node, exp.Literal | exp.Column | exp.Var | exp.Identifier):
        return node.name
    raise refuse(f"SET … = {node.sql('mysql')}")
