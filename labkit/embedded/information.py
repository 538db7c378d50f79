"""What tells of the server itself: SHOW, DESCRIBE, and the part of the information schema that is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

from sqlglot import exp

from labkit.embedded import functions
from labkit.embedded.definitions import table_name
from labkit.embedded.queries import query, render
from labkit.embedded.schema import DATABASE, Catalog, Column, Index, Table
from labkit.embedded.values import BIGINT, TEXT, SqlFault, SqlType, refuse

__all__ = ["Peers", "Rows", "describe", "information", "is_information", "show"]

NUMBERS = ("id", "time", "ordinal_position")
SCHEMA = Catalog(
    {
        name: Table(name, tuple(Column(c, BIGINT if c in NUMBERS else TEXT) for c in columns))
        for name, columns in {
            "tables": ["table_schema", "table_name", "table_type", "engine"],
            "columns": ["table_schema", "table_name", "column_name", "ordinal_position", "is_nullable",
                        "column_type", "column_key", "extra"],
            "processlist": ["id", "user", "host", "db", "command", "time", "state", "info"],
        }.items()
    },
    database="information_schema",
)  # fmt: skip


class Peers(Protocol):
    """What a session may ask of the server: who is connected, and to end one of them."""

    def process_list(self) -> list[tuple[Any, ...]]:
        """Return id, user, host, db, command, time, state and info of each connection."""

    def kill(self, number: int, *, query_only: bool) -> None:
        """End a connection, or just what it runs."""


@dataclass(frozen=True)
class Rows:
    """The answer to a query: the name and type of each column, and the rows."""

    columns: Iterable[tuple[str, SqlType]]
    rows: list[tuple[Any, ...]]


def show(node: exp.Show, catalog: Catalog, peers: Peers) -> Rows:
    """Answer SHOW TABLES, SHOW CREATE TABLE and SHOW PROCESSLIST."""
    full = bool(node.args.get("full"))
    if node.args.get("where") is None:
        match node.name.upper():
            case "TABLES":
                return _tables(node, catalog, full)
            case "CREATE TABLE":
                table = catalog.table(table_name(exp.table_(node.args["target"].name, db=node.text("db") or None)))
                create = _create(table, catalog.peek_number(table.name))
                return Rows([("Table", TEXT), ("Create Table", TEXT)], [(table.name, create)])
            case "PROCESSLIST":
                names = ("Id", "User", "Host", "db", "Command", "Time", "State", "Info")
                rows = [row if full else (*row[:7], row[7] and row[7][:100]) for row in peers.process_list()]
                return Rows([(name, BIGINT if name in ("Id", "Time") else TEXT) for name in names], rows)
    raise refuse(node.sql("mysql"))


def _tables(node: exp.Show, catalog: Catalog, full: bool) -> Rows:
    database, pattern = node.text("db"), node.text("like")
    if database.lower() == "information_schema":
        raise refuse("SHOW TABLES of the information schema")
    if database not in ("", DATABASE):
        raise SqlFault(1049, f"Unknown database '{database}'")
    names = [(table.name, "BASE TABLE") for table in catalog if not pattern or functions.like(pattern, table.name)]
    columns = [(f"Tables_in_{DATABASE}" + (f" ({pattern})" if pattern else ""), TEXT), ("Table_type", TEXT)]
    width = 2 if full else 1
    return Rows(columns[:width], [row[:width] for row in names])


def describe(node: exp.Table, catalog: Catalog) -> Rows:
    """Answer DESCRIBE."""
    table = catalog.table(table_name(node))
    rows = [(c.name, str(c.type), "YES" if c.nullable else "NO", _key(table, c), _default(c), _extra(c))
            for c in table.columns]  # fmt: skip
    return Rows([(name, TEXT) for name in ("Field", "Type", "Null", "Key", "Default", "Extra")], rows)


def _key(table: Table, column: Column) -> str:
    if column.name in table.primary:
        return "PRI"
    firsts = [i for i in table.indexes if i.columns[0] == column.name]
    if any(i.unique and len(i.columns) == 1 for i in firsts):
        return "UNI"
    return "MUL" if firsts else ""


def _extra(column: Column) -> str:
    if column.auto_increment:
        return "auto_increment"
    return "" if column.default_now is None else "DEFAULT_GENERATED"


def _default(column: Column) -> str | None:
    if column.default_now is None or column.default is not None:
        return column.default
    return f"CURRENT_TIMESTAMP({column.default_now})" if column.default_now else "CURRENT_TIMESTAMP"


def _create(table: Table, next_number: int) -> str:
    """Return the CREATE TABLE statement, as MySQL writes it."""
    lines = [*map(_column_line, table.columns), *map(_index_line, table.indexes)]
    lines += [
        f"  CONSTRAINT `{key.name}` FOREIGN KEY ({_names(key.columns, ', ')}) "
        f"REFERENCES `{key.table}` ({_names(key.referred, ', ')}){key.actions}"
        for key in table.foreign_keys
    ]
    number = f" AUTO_INCREMENT={next_number}" if next_number > 1 else ""
    tail = f"ENGINE=InnoDB{number} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"
    return f"CREATE TABLE `{table.name}` (\n" + ",\n".join(lines) + f"\n) {tail}"


def _column_line(column: Column) -> str:
    parts = [f"  `{column.name}` {column.type}"]
    if column.type.binary:
        parts.append("CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    if not column.nullable:
        parts.append("NOT NULL")
    elif column.type.name == "timestamp":
        parts.append("NULL")
    if column.auto_increment:
        parts.append("AUTO_INCREMENT")
    elif column.default_now is not None:
        shown = _default(column)
        parts.append(f"DEFAULT ({shown})" if column.default else f"DEFAULT {shown}")
    elif column.default is not None:
        parts.append(f"DEFAULT {_quoted(column.default)}")
    elif column.nullable and column.type.name not in ("text", "longtext", "mediumtext", "blob", "longblob"):
        parts.append("DEFAULT NULL")
    if column.comment:
        parts.append(f"COMMENT {_quoted(column.comment)}")
    return " ".join(parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _names(columns: Iterable[str], between: str = ",") -> str:
    return between.join(f"`{c}`" for c in columns)


def _index_line(index: Index) -> str:
    if index.name == "PRIMARY":
        return f"  PRIMARY KEY ({_names(index.columns)})"
    parts = ",".join(index.parts) or _names(index.columns)
    return f"  {'UNIQUE ' if index.unique else ''}KEY `{index.name}` ({parts})"


# ------------------------------------------------------ information schema


def is_information(node: exp.Expr) -> bool:
    """Return True if a query reads the information schema."""
    return any(table.text("db").lower() == "information_schema" for table in node.find_all(exp.Table))


def information(node: exp.Expr, catalog: Catalog, peers: Peers, known: Callable[[str], dict[str, Any]]) -> Rows:
    """
    Answer a query on the information schema, in a small database made for it; `known` gives the values of its SQL.

    MySQL has more tables and columns there, and tables of its own: what would show them is refused.
    """
    tables = {table.name.lower() for table in node.find_all(exp.Table)}
    names = {column.name.lower() for column in node.find_all(exp.Column)}
    known_names = {column.name for name in tables & SCHEMA.tables.keys() for column in SCHEMA.tables[name].columns}
    stars = [star for star in node.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    if not tables <= SCHEMA.tables.keys() or not names <= known_names or stars:
        raise refuse(node.sql("mysql"))
    if "table_schema" not in names and tables != {"processlist"}:
        raise refuse("a query on the information schema without table_schema")
    for table in node.find_all(exp.Table):
        table.set("this", exp.to_identifier(table.name.lower()))
    shown = [each.name.upper() if isinstance(each, exp.Column) else "" for each in node.expressions]
    columns = [(name or found, kind) for name, (found, kind) in zip(shown, query(node, SCHEMA), strict=True)]
    with closing(sqlite3.connect(":memory:")) as db:
        functions.install(db)
        rows = {
            "tables": lambda: [(DATABASE, table.name, "BASE TABLE", "InnoDB") for table in catalog],
            "columns": lambda: [_column(t, c, n) for t in catalog for n, c in enumerate(t.columns, 1)],
            "processlist": peers.process_list,
        }
        for name in tables:
            columns_of = SCHEMA.tables[name].columns
            db.execute(f"CREATE TABLE `{name}` ({', '.join(f'`{c.name}` {c.type.sqlite}' for c in columns_of)})")
            db.executemany(f"INSERT INTO `{name}` VALUES ({', '.join('?' * len(columns_of))})", rows[name]())
        sql = render(node)
        return Rows(columns, db.execute(sql, known(sql)).fetchall())


def _column(table: Table, column: Column, position: int) -> tuple[Any, ...]:
    nullable = "YES" if column.nullable else "NO"
    return (DATABASE, table.name, column.name, position, nullable, str(column.type), _key(table, column),
            _extra(column))  # fmt: skip
