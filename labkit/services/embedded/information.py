"""The information schema: the catalog and the server's connections as tables that SELECT can read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.services.embedded import functions
from labkit.services.embedded.answers import Rows
from labkit.services.embedded.catalog import DATABASE, Catalog, Column, Table
from labkit.services.embedded.plans import render
from labkit.services.embedded.queries import query
from labkit.services.embedded.show import default_of, key_of
from labkit.services.embedded.sqltypes import BIGINT, TEXT, SqlType

if TYPE_CHECKING:
    from labkit.services.embedded.session import Session

__all__ = ["information", "is_information"]

NUMBERS = {
    "id", "time", "ordinal_position", "character_maximum_length", "numeric_precision", "numeric_scale",
    "datetime_precision", "non_unique", "seq_in_index", "position_in_unique_constraint", "auto_increment",
}  # fmt: skip

SHAPES = {
    "schemata": "catalog_name schema_name default_character_set_name default_collation_name",
    "tables": "table_catalog table_schema table_name table_type engine auto_increment table_collation "
    "table_comment",
    "columns": "table_catalog table_schema table_name column_name ordinal_position column_default is_nullable "
    "data_type character_maximum_length numeric_precision numeric_scale datetime_precision character_set_name "
    "collation_name column_type column_key extra column_comment",
    "statistics": "table_schema table_name non_unique index_name seq_in_index column_name nullable index_type",
    "key_column_usage": "constraint_schema constraint_name table_schema table_name column_name ordinal_position "
    "position_in_unique_constraint referenced_table_schema referenced_table_name referenced_column_name",
    "table_constraints": "constraint_schema constraint_name table_schema table_name constraint_type",
    "referential_constraints": "constraint_schema constraint_name unique_constraint_name update_rule delete_rule "
    "table_name referenced_table_name",
    "views": "table_schema table_name view_definition",
    "processlist": "id user host db command time state info",
}


def _shape(name: str) -> Table:
    columns = SHAPES[name].split()
    return Table(name, tuple(Column(c, BIGINT if c in NUMBERS else TEXT) for c in columns))


SCHEMA = Catalog({name: _shape(name) for name in SHAPES}, database="information_schema")


def is_information(node: exp.Expr) -> bool:
    """Tell whether a query reads the information schema."""
    return any(table.text("db").lower() == "information_schema" for table in node.find_all(exp.Table))


def information(node: exp.Expr, values: dict[str, Any], session: Session) -> Rows:
    """Answer a query on the information schema, in a small database made for it."""
    for table in node.find_all(exp.Table):
        table.set("this", exp.to_identifier(table.name.lower()))
    columns = query(node, SCHEMA)
    with closing(sqlite3.connect(":memory:")) as db:
        functions.install(db)
        for name in {table.name for table in node.find_all(exp.Table)}:
            _fill(db, name, FILLED[name](session))
        sql = render(node)
        return Rows(columns, db.execute(sql, session.known_values(sql, values)).fetchall())


def _fill(db: sqlite3.Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    columns = SCHEMA.tables[name].columns
    db.execute(f"CREATE TABLE `{name}` ({', '.join(f'`{c.name}` {c.type.sqlite}' for c in columns)})")
    db.executemany(f"INSERT INTO `{name}` VALUES ({', '.join('?' * len(columns))})", rows)


def _catalog(session: Session) -> Catalog:
    return session.backend.shared.catalog


def _tables(session: Session) -> list[tuple[Any, ...]]:
    catalog = _catalog(session)
    return [
        ("def", DATABASE, t.name, "BASE TABLE", "InnoDB", catalog.peek_number(t.name) if t.auto_increment else None,
         "utf8mb4_0900_ai_ci", t.comment) for t in catalog
    ]  # fmt: skip


def _columns(session: Session) -> list[tuple[Any, ...]]:
    return [_column(t, c, n) for t in _catalog(session) for n, c in enumerate(t.columns, 1)]


def _column(table: Table, column: Column, position: int) -> tuple[Any, ...]:
    kind = column.type
    charset, collation = (
        ("utf8mb4", "utf8mb4_bin" if kind.binary else "utf8mb4_0900_ai_ci") if kind.is_text else (None, None)
    )
    return (
        "def", DATABASE, table.name, column.name, position, default_of(column), "YES" if column.nullable else "NO",
        kind.name, _length(kind), kind.arguments[0] if kind.name == "decimal" else None,
        kind.scale if kind.name == "decimal" else None, kind.scale if kind.family == "moment" else None,
        charset, collation, str(kind), key_of(table, column), "auto_increment" if column.auto_increment else "",
        column.comment,
    )  # fmt: skip


def _length(kind: SqlType) -> int | None:
    return kind.arguments[0] if kind.name in ("char", "varchar", "binary", "varbinary") else None


def _statistics(session: Session) -> list[tuple[Any, ...]]:
    rows = []
    for table in _catalog(session):
        for index in table.indexes:
            for position, name in enumerate(index.columns, 1):
                column = table.column(name)
                nullable = "YES" if column is not None and column.nullable else ""
                rows.append(
                    (DATABASE, table.name, int(not index.unique), index.name, position, name, nullable, "BTREE")
                )
    return rows


def _key_columns(session: Session) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for table in _catalog(session):
        for index in (i for i in table.indexes if i.unique):
            rows += [(DATABASE, index.name, DATABASE, table.name, column, n, None, None, None, None)
                     for n, column in enumerate(index.columns, 1)]  # fmt: skip
        for key in table.foreign_keys:
            pairs = enumerate(zip(key.columns, key.referred, strict=True), 1)
            rows += [(DATABASE, key.name, DATABASE, table.name, column, n, n, DATABASE, key.table, other)
                     for n, (column, other) in pairs]  # fmt: skip
    return rows


def _constraints(session: Session) -> list[tuple[Any, ...]]:
    rows = []
    for table in _catalog(session):
        kinds = [(i.name, "PRIMARY KEY" if i.name == "PRIMARY" else "UNIQUE") for i in table.indexes if i.unique]
        kinds += [(key.name, "FOREIGN KEY") for key in table.foreign_keys]
        kinds += [(name, "CHECK") for name, _ in table.checks]
        rows += [(DATABASE, name, DATABASE, table.name, kind) for name, kind in kinds]
    return rows


def _references(session: Session) -> list[tuple[Any, ...]]:
    return [
        (
            DATABASE,
            key.name,
            "PRIMARY",
            key.on_update or "NO ACTION",
            key.on_delete or "NO ACTION",
            t.name,
            key.table,
        )
        for t in _catalog(session)
        for key in t.foreign_keys
    ]


FILLED: dict[str, Callable[[Session], list[tuple[Any, ...]]]] = {
    "schemata": lambda session: [("def", DATABASE, "utf8mb4", "utf8mb4_0900_ai_ci")],
    "tables": _tables,
    "columns": _columns,
    "statistics": _statistics,
    "key_column_usage": _key_columns,
    "table_constraints": _constraints,
    "referential_constraints": _references,
    "views": lambda session: [],
    "processlist": lambda session: session.peers.process_list(),
}
