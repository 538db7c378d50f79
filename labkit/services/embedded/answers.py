"""Answers: what a statement gives the client, and SQLite's errors said in MySQL's words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labkit.services.embedded.backend import Backend
from labkit.services.embedded.catalog import DATABASE, Catalog, ForeignKey, Table
from labkit.services.embedded.faults import SqlFault
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
    catalog = backend.shared.catalog
    if backend.storing.fault is not None:
        return backend.storing.fault
    if found := re.match(r"UNIQUE constraint failed: (.*)", text):
        return _duplicate(found[1], catalog, backend.storing.row)
    if found := re.match(r"NOT NULL constraint failed: .*\.(.*)", text):
        return SqlFault(1048, f"Column '{found[1]}' cannot be null")
    if text == "FOREIGN KEY constraint failed":
        return _foreign_key(plan, catalog)
    if found := re.match(r"CHECK constraint failed: (.*)", text):
        return SqlFault(3819, f"Check constraint '{found[1]}' is violated.")
    if found := re.match(r"ambiguous column name: (.*)", text):
        return SqlFault(1052, f"Column '{found[1]}' in field list is ambiguous")
    if re.match(r"no such (table|column)|database schema has changed", text):
        return SqlFault(1412, "Table definition has changed, please retry transaction")
    if text == "interrupted":
        return SqlFault(1317, "Query execution was interrupted")
    return SqlFault(
        1105, f"labkit's embedded server could not run this ({text}); use the provider local or containers"
    )


def _duplicate(places: str, catalog: Catalog, row: dict[str, Stored]) -> SqlFault:
    table = catalog.table(places.partition(".")[0])
    columns = tuple(place.strip().partition(".")[2] for place in places.split(","))
    shown = "-".join(_shown(row.get(column)) for column in columns)
    return SqlFault(1062, f"Duplicate entry '{shown}' for key '{table.name}.{table.unique_key(columns)}'")


def _shown(value: Stored) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _foreign_key(plan: Plan, catalog: Catalog) -> SqlFault:
    table = catalog.table(plan.table)
    own = [k for k in table.foreign_keys if set(k.columns) & plan.given or plan.kind in ("insert", "upsert")]
    others = catalog.referring(table.name)
    if plan.kind != "delete" and own:
        return SqlFault(
            1452, f"Cannot add or update a child row: a foreign key constraint fails ({_key(table, own[0])})"
        )
    if others:
        text = f"Cannot delete or update a parent row: a foreign key constraint fails ({_key(*others[0])})"
        return SqlFault(1451, text)
    return SqlFault(1451, "Cannot delete or update a parent row: a foreign key constraint fails")


def _key(table: Table, key: ForeignKey) -> str:
    def names(columns: tuple[str, ...]) -> str:
        return ", ".join(f"`{c}`" for c in columns)

    return (
        f"`{DATABASE}`.`{table.name}`, CONSTRAINT `{key.name}` FOREIGN KEY ({names(key.columns)}) "
        f"REFERENCES `{key.table}` ({names(key.referred)})"
    )


def affected(plan: Plan, backend: Backend, changed: int, *, count_found: bool) -> Done:
    """Return the counts of a write as MySQL counts: an upsert that changes a row counts twice."""
    same, updated = backend.storing.upserts
    rows = changed + updated + (same if count_found else 0) if plan.kind == "upsert" else max(changed, 0)
    return Done(rows, backend.storing.generated or backend.storing.chosen)
