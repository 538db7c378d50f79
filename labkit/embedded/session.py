"""The session: what each statement of one connection does, and the variables that it can read and set."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlglot import exp

from labkit.embedded.backend import Backend
from labkit.embedded.definitions import define
from labkit.embedded.information import Peers, Rows, describe, information, show
from labkit.embedded.queries import Plan
from labkit.embedded.schema import DATABASE
from labkit.embedded.statements import LONG, Planner, is_planned, parse
from labkit.embedded.values import SqlFault, refuse

__all__ = ["VERSION", "Done", "Session", "Variables"]

VERSION = f"8.4.0-labkit-embedded-sqlite-{sqlite3.sqlite_version}"
PLACE = re.compile(r"`(?:[^`]++|``)*+`|'(?:[^']++|'')*+'|:([a-z_]\w*)")
SAVEPOINT = re.compile(r"(SAVEPOINT|RELEASE\s+SAVEPOINT)\s+(?:`([^`]+)`|([^`;\s]+));?$", re.IGNORECASE)
ISOLATION = re.compile(
    r"SET\s+(SESSION\s+)?TRANSACTION\s+ISOLATION\s+LEVEL\s+([A-Z]+ [A-Z]+|\w+);?$", re.IGNORECASE
)
KILL = re.compile(r"KILL\s+(?:(CONNECTION|QUERY)\s+)?(\d+|CONNECTION_ID\(\));?$", re.IGNORECASE)
START = re.compile(r"START\s+TRANSACTION\b\s*+([\w ]*);?$", re.IGNORECASE)
DEFAULTS: dict[str, Any] = {
    "auto_increment_increment": 1,
    "autocommit": 1,
    **dict.fromkeys((f"character_set_{what}" for what in ("client", "connection", "results", "server")), "utf8mb4"),
    **dict.fromkeys(("collation_connection", "collation_server"), "utf8mb4_0900_ai_ci"),
    "foreign_key_checks": 1,
    "innodb_lock_wait_timeout": 50,
    "lower_case_table_names": 0,
    "max_allowed_packet": 67108864,
    "sql_mode": "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
    "time_zone": "SYSTEM",
    "transaction_isolation": "REPEATABLE-READ",
    "version": VERSION,
    "version_comment": "labkit's embedded server for teaching",
    "wait_timeout": 28800,
}
SWITCHES = {"1": 1, "ON": 1, "TRUE": 1, "0": 0, "OFF": 0, "FALSE": 0}


@dataclass(frozen=True)
class Done:
    """The answer to a statement without rows."""

    affected: int = 0
    insert_id: int = 0


class Variables:
    """One connection's variables; a value that would not count is refused, not kept."""

    def __init__(self) -> None:
        self._own: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name.lower() not in DEFAULTS:
            raise refuse(f"the variable {name}")
        return self._own.get(name.lower(), DEFAULTS[name.lower()])

    def get(self, name: str) -> Any:
        """Return a variable's value, or None when the wire protocol asks for one that isn't there."""
        return self._own.get(name.lower(), DEFAULTS.get(name.lower()))

    def set(self, name: str, value: Any, force: bool = False) -> None:
        """Set a variable; `force` is for what the wire protocol notes at login."""
        self._own[name.lower()] = value if force else self._checked(name.lower(), str(value))

    def _checked(self, name: str, value: str) -> Any:
        present = self[name]
        if value.upper() == "DEFAULT":
            return DEFAULTS[name]
        if name in ("autocommit", "foreign_key_checks"):
            if value.upper() not in SWITCHES:
                raise SqlFault(1231, f"Variable '{name}' can't be set to the value of '{value}'")
            return SWITCHES[value.upper()]
        if name in ("innodb_lock_wait_timeout", "wait_timeout"):
            if not value.isdigit():
                raise SqlFault(1232, f"Incorrect argument type to variable '{name}'")
            return max(1, int(value))
        level = value.upper().replace(" ", "-")
        if name == "transaction_isolation" and level in ("READ-COMMITTED", "REPEATABLE-READ"):
            return level
        if value.lower() not in {str(present).lower(), "+00:00", "utc", "utf8mb4"}:
            raise refuse(f"SET {name} = {value}")
        return value


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
        self._last_insert_id = 0

    async def execute(self, sql: str) -> Done | Rows:
        """Run one statement and answer it; raise `SqlFault` as MySQL would."""
        sql = sql.strip()
        if not is_planned(sql):
            return await self._command(sql)
        plan_it = partial(self.planner.plan, sql, count_found=self.count_found)
        # sqlglot takes its time: meanwhile others shall go on.
        plan, values = await self.backend.in_thread(plan_it) if len(sql) > LONG else plan_it()
        if plan.information is not None:
            known = lambda sql: self._values(sql, values)  # noqa: E731
            return information(plan.information.copy(), self.backend.shared.catalog, self.peers, known)
        if plan.sleep is not None:
            await self._sleep(plan.sleep)
        return await self._run(plan, self._values(plan.sql, values))

    async def _run(self, plan: Plan, values: dict[str, Any]) -> Done | Rows:
        backend, storing = self.backend, self.backend.storing
        try:
            if plan.locks:
                result = await backend.write(plan.sql, values, plan.table)
            else:
                result = await backend.read(plan.sql, values, plan.reads)
        except sqlite3.Error as error:
            fault = storing.explain(error, plan)
            self._last_insert_id = storing.generated or self._last_insert_id
            raise fault from error
        if plan.columns is not None:
            return Rows(plan.columns, result.rows)
        self._last_insert_id = storing.generated or self._last_insert_id
        affected = storing.affected(plan, result.changed, count_found=self.count_found)
        return Done(affected, storing.generated or (0 if plan.kind == "update" else storing.chosen))

    def _values(self, sql: str, values: dict[str, Any]) -> dict[str, Any]:
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
            "last_insert_id": self._last_insert_id,
            "database": self.database,
            "version": VERSION,
            "user": f"{self.username}@{self.host}",
            "current_user": f"{self.username}@%",
        }[name]

    async def _sleep(self, argument: exp.Expr) -> None:
        try:
            seconds = float(argument.name)
        except ValueError:
            raise SqlFault(1210, "Incorrect arguments to sleep.") from None
        await asyncio.sleep(seconds)

    async def _command(self, sql: str) -> Done | Rows:
        if found := SAVEPOINT.match(sql):
            await self.backend.savepoint(found[1].split()[0].upper(), found[2] or found[3])
        elif found := KILL.match(sql):
            await self._kill(found[2], query_only=(found[1] or "").upper() == "QUERY")
        elif found := ISOLATION.match(sql):
            if not found[1]:
                raise refuse("SET TRANSACTION for the next transaction only")
            self.variables.set("transaction_isolation", found[2])
            await self._apply_variables()
        elif found := START.match(sql):
            if found[1].upper() not in ("", "READ WRITE", "WITH CONSISTENT SNAPSHOT"):
                raise refuse(f"START TRANSACTION {found[1]}")
            await self.backend.begin(snapshot=found[1].upper().startswith("WITH"))
        else:
            node = await self.backend.in_thread(parse, sql) if len(sql) > LONG else parse(sql)
            return await self._perform(node) or Done()
        return Done()

    async def _perform(self, node: exp.Expr) -> Rows | None:
        catalog = self.backend.shared.catalog
        match node:
            case exp.Show():
                return show(node, catalog, self.peers)
            case exp.Describe() if isinstance(node.this, exp.Table):
                return describe(node.this, catalog)
            case exp.Transaction():
                await self.backend.begin()
            case exp.Commit():
                await self.backend.commit()
            case exp.Rollback():
                await self._rollback(node.text("savepoint"))
            case exp.Set():
                for item in node.expressions:
                    self._set(item)
                await self._apply_variables()
            case exp.Use():
                self.use(node.this.name)
            case exp.Create() | exp.Drop():
                await self._define(node)
            case _:
                raise refuse(node.sql("mysql"))
        return None

    async def _rollback(self, savepoint: str) -> None:
        if savepoint:
            await self.backend.savepoint("ROLLBACK TO", savepoint)
        else:
            await self.backend.rollback()

    def _set(self, item: exp.Expr) -> None:
        kind = item.text("kind").upper()
        if kind in ("NAMES", "CHARACTER SET"):
            if item.name.lower() not in ("utf8mb4", "default"):
                raise refuse(f"SET NAMES {item.name}")
            return
        if kind in ("GLOBAL", "PERSIST") or not isinstance(item.this, exp.EQ):
            raise refuse(f"SET {item.sql('mysql')}")
        name, value = item.this.this, item.this.expression
        if isinstance(name, exp.Parameter) or name.text("kind").lower() == "global":
            raise refuse("user variables and SET GLOBAL")
        if not isinstance(value, exp.Boolean | exp.Literal | exp.Column | exp.Var | exp.Identifier):
            raise refuse(f"SET … = {value.sql('mysql')}")
        self.variables.set(name.name, str(int(value.this)) if isinstance(value, exp.Boolean) else value.name)

    async def _apply_variables(self) -> None:
        """Let the variables take effect; switching autocommit on commits."""
        backend, variables = self.backend, self.variables
        backend.refresh = variables["transaction_isolation"] == "READ-COMMITTED"
        backend.wait = float(variables["innodb_lock_wait_timeout"])
        await backend.check_keys(bool(variables["foreign_key_checks"]))
        if variables["autocommit"] and not backend.autocommit:
            await backend.commit()
        backend.autocommit = bool(variables["autocommit"])

    async def _define(self, node: exp.Expr) -> None:
        catalog, checks = self.backend.shared.catalog, bool(self.variables["foreign_key_checks"])
        try:
            await self.backend.define(lambda: define(node, catalog, check_keys=checks))
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
        await asyncio.sleep(0)  # a connection that kills itself ends here
