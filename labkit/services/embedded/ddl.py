"""Definitions: what CREATE, DROP and TRUNCATE do to SQLite's tables and to the catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from labkit.services.embedded.catalog import DATABASE, Catalog, ForeignKey, Index, Table
from labkit.services.embedded.definitions import check_columns, index_over, properties, read_table, table_name
from labkit.services.embedded.faults import SqlFault, refuse

__all__ = ["Definition", "define"]


@dataclass(frozen=True)
class Definition:
    """Hold a definition's SQLite statements, and the change to the catalog that goes with them."""

    statements: list[str]
    apply: Callable[[], None]


def define(node: exp.Expr, catalog: Catalog, *, check_keys: bool) -> Definition:
    """Return what a CREATE, DROP or TRUNCATE statement does."""
    kind = (node.args.get("kind") or "").upper()
    if isinstance(node, exp.TruncateTable):
        return _truncate(node, catalog)
    if isinstance(node, exp.Create) and kind == "TABLE":
        return _create_table(node, catalog, check_keys)
    if isinstance(node, exp.Create) and kind == "INDEX":
        return _create_index(node, catalog)
    if isinstance(node, exp.Drop) and kind == "TABLE":
        return _drop_tables(node, catalog, check_keys)
    if isinstance(node, exp.Drop) and kind == "INDEX":
        return _drop_index(node, catalog)
    raise refuse(node.sql("mysql")[:80])


def _create_table(node: exp.Create, catalog: Catalog, check_keys: bool) -> Definition:
    if not isinstance(node.this, exp.Schema) or node.args.get("expression") is not None:
        raise refuse("CREATE TABLE … SELECT or LIKE")
    if any(isinstance(p, exp.TemporaryProperty) for p in properties(node)):
        raise refuse("CREATE TEMPORARY TABLE")
    name = table_name(node.this.this)
    if name in catalog.tables and node.args.get("exists"):
        return Definition([], lambda: None)
    if name in catalog.tables:
        raise SqlFault(1050, f"Table '{name}' already exists")
    table = read_table(name, node)
    for key in table.foreign_keys:
        if check_keys and key.table != name and key.table not in catalog.tables:
            raise SqlFault(1824, f"Failed to open the referenced table '{key.table}'")
    indexes = [sqlite_index(name, i) for i in table.indexes if i.name != "PRIMARY"]
    return Definition([sqlite_table(table), *indexes], lambda: catalog.put(table))


def sqlite_table(table: Table) -> str:
    """Return SQLite's CREATE TABLE for a table."""
    lines = [f"`{c.name}` {c.type.sqlite}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    if table.primary:
        lines.append(f"PRIMARY KEY ({_quoted(table.primary)})")
    lines += [_sqlite_key(key) for key in table.foreign_keys]
    lines += [f"CONSTRAINT `{name}` CHECK ({check})" for name, check in table.checks]
    return f"CREATE TABLE `{table.name}` ({', '.join(lines)})"


def _sqlite_key(key: ForeignKey) -> str:
    return f"FOREIGN KEY ({_quoted(key.columns)}) REFERENCES `{key.table}` ({_quoted(key.referred)}){key.actions}"


def sqlite_index(table: str, index: Index) -> str:
    """Return SQLite's CREATE INDEX; its indexes share one space of names, MySQL's are a table's own."""
    unique = "UNIQUE " if index.unique else ""
    return f"CREATE {unique}INDEX `{table}.{index.name}` ON `{table}` ({_quoted(index.columns)})"


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _create_index(node: exp.Create, catalog: Catalog) -> Definition:
    found = node.this
    table = catalog.table(table_name(found.args["table"]))
    unique = bool(node.args.get("unique"))
    index = index_over(found.name, found.args["params"].args["columns"], unique=unique)
    if any(i.name.lower() == index.name.lower() for i in table.indexes):
        raise SqlFault(1061, f"Duplicate key name '{index.name}'")
    check_columns(table, index)
    changed = table.with_index(index)
    dropped = [f"DROP INDEX `{table.name}.{i.name}`" for i in table.indexes if i not in changed.indexes]
    return Definition([*dropped, sqlite_index(table.name, index)], lambda: catalog.put(changed))


def _drop_index(node: exp.Drop, catalog: Catalog) -> Definition:
    table = catalog.table(table_name(node.args["cluster"].this))
    name = _dropped(node)[0].name
    index = next((i for i in table.indexes if i.name.lower() == name.lower()), None)
    if index is None:
        raise SqlFault(1091, f"Can't DROP '{name}'; check that column/key exists")
    changed = table.without_index(index)
    if any(not changed.covers(key.columns) for key in table.foreign_keys):
        raise SqlFault(1553, f"Cannot drop index '{name}': needed in a foreign key constraint")
    return Definition([f"DROP INDEX `{table.name}.{index.name}`"], lambda: catalog.put(changed))


def _dropped(node: exp.Drop) -> list[exp.Expr]:
    return list(node.args.get("tables") or [node.this])


def _drop_tables(node: exp.Drop, catalog: Catalog, check_keys: bool) -> Definition:
    names = [table_name(t) for t in _dropped(node)]
    missing = [n for n in names if n not in catalog.tables]
    if missing and not node.args.get("exists"):
        raise SqlFault(1051, f"Unknown table '{DATABASE}.{missing[0]}'")
    present = [n for n in names if n in catalog.tables]
    for name in present if check_keys else []:
        for child, key in catalog.referring(name):
            if child.name not in present:
                text = f"referenced by a foreign key constraint '{key.name}' on table '{child.name}'."
                raise SqlFault(3730, f"Cannot drop table '{name}' {text}")
    return Definition([f"DROP TABLE `{n}`" for n in present], lambda: catalog.drop(*present))


def _truncate(node: exp.TruncateTable, catalog: Catalog) -> Definition:
    name = table_name(node.expressions[0])
    table = catalog.table(name)
    for child, key in catalog.referring(table.name):
        text = f"(`{DATABASE}`.`{child.name}`, CONSTRAINT `{key.name}`)"
        raise SqlFault(1701, f"Cannot truncate a table referenced in a foreign key constraint {text}")
    return Definition([f"DELETE FROM `{name}`"], lambda: catalog.restart_numbers(name))
