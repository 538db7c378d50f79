"""SHOW and DESCRIBE, answered from the catalog, the session's variables and the server's connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.services.embedded.answers import Rows
from labkit.services.embedded.catalog import DATABASE, Catalog, Column, ForeignKey, Index, Table
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.functions import like
from labkit.services.embedded.sqltypes import BIGINT, TEXT

if TYPE_CHECKING:
    from labkit.services.embedded.session import Session

__all__ = ["default_of", "describe", "key_of", "show", "show_create"]


def show(node: exp.Show, session: Session) -> Rows:
    """Answer a SHOW statement."""
    if node.args.get("where") is not None:
        raise refuse("SHOW … WHERE")
    answer = ANSWERS.get(node.name.upper())
    if answer is None:
        raise refuse(f"SHOW {node.name}")
    return answer(node, session)


def _table(node: exp.Show, session: Session) -> Table:
    database = node.text("db")
    if database not in ("", DATABASE):
        raise SqlFault(1049, f"Unknown database '{database}'")
    return session.backend.shared.catalog.table(node.args["target"].name)


def _tables(node: exp.Show, session: Session) -> Rows:
    if node.text("db").lower() == "information_schema":
        raise refuse("SHOW TABLES of the information schema")
    if node.text("db") not in ("", DATABASE):
        raise SqlFault(1049, f"Unknown database '{node.text('db')}'")
    pattern = node.text("like")
    title = f"Tables_in_{DATABASE} ({pattern})" if pattern else f"Tables_in_{DATABASE}"
    names = [t.name for t in session.backend.shared.catalog if not pattern or like(pattern, t.name)]
    columns = [(title, TEXT), ("Table_type", TEXT)]
    return Rows(columns if node.args.get("full") else columns[:1],
                [(name, "BASE TABLE") if node.args.get("full") else (name,) for name in names])  # fmt: skip


def _process_list(node: exp.Show, session: Session) -> Rows:
    rows = session.peers.process_list()
    if not node.args.get("full"):
        rows = [(*row[:7], row[7] and row[7][:100]) for row in rows]
    names = ("Id", "User", "Host", "db", "Command", "Time", "State", "Info")
    return Rows([(name, BIGINT if name in ("Id", "Time") else TEXT) for name in names], rows)


def describe(table: exp.Table, catalog: Catalog) -> Rows:
    """Answer DESCRIBE and SHOW COLUMNS."""
    if table.text("db") not in ("", DATABASE):
        raise SqlFault(1049, f"Unknown database '{table.text('db')}'")
    return _columns(catalog.table(table.name), full=False)


def _columns(table: Table, *, full: bool) -> Rows:
    rows: list[tuple[Any, ...]] = []
    for column in table.columns:
        kind, extra = str(column.type), "auto_increment" if column.auto_increment else ""
        basic = (column.name, kind, _collation(column) if full else None, "YES" if column.nullable else "NO",
                 key_of(table, column), default_of(column), extra)  # fmt: skip
        row = (*basic, "select,insert,update,references", column.comment)
        rows.append(row if full else (*basic[:2], *basic[3:]))
    names = "Field Type Collation Null Key Default Extra Privileges Comment"
    return Rows.of(names if full else "Field Type Null Key Default Extra", rows)


def _collation(column: Column) -> str | None:
    if not column.type.is_text:
        return None
    return "utf8mb4_bin" if column.type.binary else "utf8mb4_0900_ai_ci"


def key_of(table: Table, column: Column) -> str:
    """Return PRI, UNI, MUL or nothing, as DESCRIBE shows a column's part in keys."""
    if column.name in table.primary:
        return "PRI"
    firsts = [i for i in table.indexes if i.columns[0] == column.name]
    if any(i.unique and len(i.columns) == 1 for i in firsts):
        return "UNI"
    return "MUL" if firsts else ""


def default_of(column: Column) -> str | None:
    """Return a column's default as MySQL shows it."""
    if not column.default_now:
        return column.default
    return f"CURRENT_TIMESTAMP({column.type.scale})" if column.type.scale else "CURRENT_TIMESTAMP"


def show_create(table: Table, next_number: int) -> str:
    """Return the CREATE TABLE statement, as MySQL writes it."""
    lines = [
        *map(_column_line, table.columns),
        *map(_index_line, table.indexes),
        *map(_key_line, table.foreign_keys),
    ]
    lines += [f"  CONSTRAINT `{name}` CHECK ({check})" for name, check in table.checks]
    number = f" AUTO_INCREMENT={next_number}" if next_number > 1 else ""
    comment = f" COMMENT={_quoted(table.comment)}" if table.comment else ""
    tail = f"ENGINE=InnoDB{number} DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci{comment}"
    return f"CREATE TABLE `{table.name}` (\n" + ",\n".join(lines) + f"\n) {tail}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


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
    elif column.default_now:
        parts.append(f"DEFAULT {default_of(column)}")
    elif column.default is not None:
        parts.append(f"DEFAULT {_quoted(column.default)}")
    elif column.nullable and column.type.name not in ("text", "longtext", "mediumtext", "blob", "longblob"):
        parts.append("DEFAULT NULL")
    if column.comment:
        parts.append(f"COMMENT {_quoted(column.comment)}")
    return " ".join(parts)


def _names(columns: Iterable[str]) -> str:
    return ",".join(f"`{c}`" for c in columns)


def _index_line(index: Index) -> str:
    if index.name == "PRIMARY":
        return f"  PRIMARY KEY ({_names(index.columns)})"
    parts = ",".join(index.parts) or _names(index.columns)
    return f"  {'UNIQUE ' if index.unique else ''}KEY `{index.name}` ({parts})"


def _key_line(key: ForeignKey) -> str:
    return (
        f"  CONSTRAINT `{key.name}` FOREIGN KEY ({_names(key.columns)}) "
        f"REFERENCES `{key.table}` ({_names(key.referred)})"
    ).replace("`,`", "`, `") + key.actions


def _create(node: exp.Show, session: Session) -> Rows:
    table = _table(node, session)
    number = session.backend.shared.catalog.peek_number(table.name)
    return Rows([("Table", TEXT), ("Create Table", TEXT)], [(table.name, show_create(table, number))])


def _full_columns(node: exp.Show, session: Session) -> Rows:
    if node.text("like"):
        raise refuse("SHOW COLUMNS … LIKE")
    return _columns(_table(node, session), full=bool(node.args.get("full")))


def _variables(node: exp.Show, session: Session) -> Rows:
    # There are hundreds that this server does not have: it must not say that MySQL has none of them.
    found = [item for item in session.variables.items() if like(node.text("like"), item[0])]
    if "%" in node.text("like") or len(found) != 1:
        raise refuse("SHOW VARIABLES but for LIKE and one name")
    return Rows.of("Variable_name Value", found)


ANSWERS: dict[str, Callable[[exp.Show, Session], Rows]] = {
    "TABLES": _tables,
    "COLUMNS": _full_columns,
    "CREATE TABLE": _create,
    "PROCESSLIST": _process_list,
    "VARIABLES": _variables,
}
