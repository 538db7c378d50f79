"""Answers: what a statement gives the client, and SQLite's errors said in MySQL's words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labkit.services.embedded.backend import Backend
from labkit.services.embedded.catalog import DATABASE, ForeignKey, Table
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.plans import Plan
from labkit.services.embedded.sqltypes import TEXT, SqlType, Stored

__all__ = ["Done", "Rows", "affected", "explain"]


@dataclass(frozen=True)
class Done:
    """The answer to a statement without rows."""

    affected: int = 0
    insert_id: int = 0


@dataclass(frozen=True)
class Rows:
    """The answer to a query."""

    columns: Sequence[tuple[str, SqlType]]
    rows: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, names: str, rows: Sequence[Sequence[Any]]) -> Rows:
        """Return rows under the given names, all of them texts."""
        return cls([(name, TEXT) for name in names.split()], rows)


def explain(error: sqlite3.Error, plan: Plan, backend: Backend) -> SqlFault:
    """Return the MySQL fault that says what SQLite's error says."""
    text = str(error)
    if text == "interrupted":
        return SqlFault(1317, "Query execution was interrupted")
    if re.match(r"no such (table|column)|database schema has changed", text):
        return SqlFault(1412, "Table definition has changed, please retry transaction")
    if plan.rows != 1 and _depends_on_other_rows(text, plan, backend):
        return refuse("a write of several rows, of which one is wrong")
    if backend.storing.fault is not None:
        return backend.storing.fault
    if text.startswith("UNIQUE constraint failed"):
        return _duplicate(plan, backend)
    if found := re.match(r"NOT NULL constraint failed: .*\.(.*)", text):
        return SqlFault(1048, f"Column '{found[1]}' cannot be null")
    if text == "FOREIGN KEY constraint failed":
        return _foreign_key(plan, backend)
    if found := re.match(r"CHECK constraint failed: (.*)", text):
        return SqlFault(3819, f"Check constraint '{found[1]}' is violated.")
    if found := re.match(r"ambiguous column name: (.*)", text):
        return SqlFault(1052, f"Column '{found[1]}' in field list is ambiguous")
    if "'finalize'" in text:
        return refuse("GROUP BY of texts that differ in case or accents only")
    return refuse(text)


def _depends_on_other_rows(text: str, plan: Plan, backend: Backend) -> bool:
    """Return True if MySQL, which checks everything of one row before the next one, may give another reason."""
    if plan.kind == "update":
        numbered = backend.storing.fault is not None and " at row " in backend.storing.fault.text
        return numbered or len(plan.given) > 1
    if plan.kind == "insert" and plan.rows:
        storing = backend.storing
        return bool(backend.shared.catalog.table(plan.table).foreign_keys or (storing.given and storing.numbered))
    return plan.kind in ("insert", "upsert")


def _duplicate(plan: Plan, backend: Backend) -> SqlFault:
    catalog = backend.shared.catalog
    table = catalog.table(plan.table)
    if plan.kind == "insert" and not all(map(backend.has_referred, table.foreign_keys)):
        return _foreign_key(plan, backend)  # MySQL looks at them first
    if plan.kind == "update" and any(plan.given & set(key.referred) for _, key in catalog.referring(table.name)):
        return refuse("UPDATE of a key that other rows have and refer to")
    indexes = [i for i in table.indexes if i.unique and (plan.kind == "insert" or plan.given & set(i.columns))]
    if len(indexes) > 1 and plan.kind == "insert":
        # MySQL names the first of its indexes that has the row, SQLite the last.
        indexes = [i for i in indexes if backend.has_row(table.name, i.columns, i.columns)][:1]
    if len(indexes) != 1 or (plan.kind != "insert" and len(indexes[0].columns) > 1):
        return refuse("a write that more than one unique key may have stopped")
    shown = "-".join(_shown(backend.storing.row.get(column)) for column in indexes[0].columns)
    return SqlFault(1062, f"Duplicate entry '{shown}' for key '{table.name}.{indexes[0].name}'")


def _shown(value: Stored) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return re.sub("[\U00010000-\U0010ffff]", "?", text)  # MySQL's messages have no such letters


def _foreign_key(plan: Plan, backend: Backend) -> SqlFault:
    catalog = backend.shared.catalog
    table = catalog.table(plan.table)
    own = [(table, key) for key in table.foreign_keys if set(key.columns) & plan.given]
    if plan.kind == "insert" and plan.rows == 1:
        own = [(table, key) for table, key in own if not backend.has_referred(key)]
        own = sorted(own, key=lambda each: each[1].name)[:1]
    others = [(t, key) for t, key in catalog.referring(table.name) if not key.on_delete]
    if plan.kind != "delete":
        others = [
            (t, k) for t, k in catalog.referring(table.name) if plan.given & set(k.referred) and not k.on_update
        ]
    keys = others if plan.kind == "delete" else own if plan.kind != "update" else own + others
    number, what = (1451, "delete or update a parent") if keys == others else (1452, "add or update a child")
    if len(keys) != 1:
        return refuse("a statement that more than one foreign key may have stopped")
    return SqlFault(number, f"Cannot {what} row: a foreign key constraint fails ({_key(*keys[0])})")


def _key(table: Table, key: ForeignKey) -> str:
    def names(columns: tuple[str, ...]) -> str:
        return ", ".join(f"`{c}`" for c in columns)

    return (
        f"`{DATABASE}`.`{table.name}`, CONSTRAINT `{key.name}` FOREIGN KEY ({names(key.columns)}) "
        f"REFERENCES `{key.table}` ({names(key.referred)}){key.actions}"
    )


def affected(plan: Plan, backend: Backend, changed: int, *, count_found: bool) -> Done:
    """Return the counts of a write as MySQL counts: an upsert that changes a row counts twice."""
    same, updated = backend.storing.upserts
    rows = changed + updated + (same if count_found else 0) if plan.kind == "upsert" else max(changed, 0)
    return Done(rows, backend.storing.generated or backend.storing.chosen)
