"""Definitions: CREATE, DROP and TRUNCATE read into the catalog and written as SQLite's SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from labkit.services.embedded.catalog import DATABASE, Catalog, Column, ForeignKey, Index, Table
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.plans import render
from labkit.services.embedded.sqltypes import BLOBS, FLOATS, INTEGERS, MOMENTS, TEXTS, SqlType

__all__ = ["Definition", "define"]

SYNONYMS = {"boolean": ("tinyint", (1,)), "timestamptz": ("timestamp", ()), "udecimal": ("decimal", ())}
DEFAULT_ARGUMENTS: dict[str, tuple[int, ...]] = {"decimal": (10, 0), "char": (1,), "binary": (1,)}
ACTIONS = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL")


@dataclass(frozen=True)
class Definition:
    """Hold a definition's SQLite statements, and the change to the catalog that goes with them."""

    statements: list[str]
    apply: Callable[[], None]


def define(node: exp.Expression, catalog: Catalog, *, check_keys: bool) -> Definition:
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


def _name(table: exp.Expression) -> str:
    database = table.args.get("db")
    if database is not None and database.name != DATABASE:
        raise SqlFault(1049, f"Unknown database '{database.name}'")
    return table.name


def _create_table(node: exp.Create, catalog: Catalog, check_keys: bool) -> Definition:
    if not isinstance(node.this, exp.Schema) or node.args.get("expression") is not None:
        raise refuse("CREATE TABLE … SELECT or LIKE")
    if any(isinstance(p, exp.TemporaryProperty) for p in _properties(node)):
        raise refuse("CREATE TEMPORARY TABLE")
    name = _name(node.this.this)
    if name in catalog.tables:
        if node.args.get("exists"):
            return Definition([], lambda: None)
        raise SqlFault(1050, f"Table '{name}' already exists")
    table = read_table(name, node)
    for key in table.foreign_keys:
        if check_keys and key.table != name and key.table not in catalog.tables:
            raise SqlFault(1824, f"Failed to open the referenced table '{key.table}'")
    return Definition(
        [sqlite_table(table), *map(lambda i: sqlite_index(table, i), _plain(table))], lambda: catalog.put(table)
    )


def _properties(node: exp.Create) -> list[exp.Expression]:
    return list(node.args["properties"].expressions) if node.args.get("properties") else []


def _plain(table: Table) -> list[Index]:
    return [i for i in table.indexes if i.name != "PRIMARY"]


def read_table(name: str, node: exp.Create) -> Table:
    """Read a CREATE TABLE statement into a table."""
    binary = any(isinstance(p, exp.CollateProperty) and p.name.lower().endswith("_bin") for p in _properties(node))
    columns: list[Column] = []
    indexes: list[Index] = []
    keys: list[ForeignKey] = []
    checks: list[tuple[str, str]] = []
    for item in node.this.expressions:
        if isinstance(item, exp.ColumnDef):
            columns.append(_read_column(item, binary, indexes))
        else:
            _read_key(name, item, indexes, keys, checks)
    comment = next((p.this.name for p in _properties(node) if isinstance(p, exp.SchemaCommentProperty)), "")
    table = Table(name, tuple(columns), tuple(indexes), tuple(keys), tuple(checks), comment)
    return _checked(table)


def _checked(table: Table) -> Table:
    """Fault what MySQL faults: names twice, keys over columns that don't exist; a primary key is never NULL."""
    for index in table.indexes:
        for column in index.columns:
            if table.column(column) is None:
                raise SqlFault(1072, f"Key column '{column}' doesn't exist in table")
    names = [c.name.lower() for c in table.columns]
    for name in names:
        if names.count(name) > 1:
            raise SqlFault(1060, f"Duplicate column name '{name}'")
    primary = {p.lower() for p in table.primary}
    columns = tuple(
        Column(c.name, c.type, c.nullable and c.name.lower() not in primary, c.auto_increment, c.default,
               c.default_now, c.comment) for c in table.columns
    )  # fmt: skip
    indexes = sorted(table.indexes, key=lambda i: (i.name != "PRIMARY", not i.unique))
    return Table(table.name, columns, tuple(indexes), table.foreign_keys, table.checks, table.comment)


def _read_column(node: exp.ColumnDef, binary: bool, indexes: list[Index]) -> Column:
    found: dict[str, object] = {}
    for constraint in node.constraints:
        kind = constraint.kind
        if isinstance(kind, exp.NotNullColumnConstraint):
            found["nullable"] = bool(kind.args.get("allow_null"))
        elif isinstance(kind, exp.AutoIncrementColumnConstraint):
            found["auto_increment"] = True
        elif isinstance(kind, exp.DefaultColumnConstraint):
            found |= _default(kind.this)
        elif isinstance(kind, exp.CommentColumnConstraint):
            found["comment"] = kind.this.name
        elif isinstance(kind, exp.CollateColumnConstraint):
            binary = kind.this.name.lower().endswith("_bin")
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            indexes.append(Index("PRIMARY", (node.name,), unique=True))
        elif isinstance(kind, exp.UniqueColumnConstraint):
            indexes.append(Index(node.name, (node.name,), unique=True))
        elif not isinstance(kind, exp.CharacterSetColumnConstraint):
            raise refuse(constraint.sql("mysql"))
    return Column(node.name, read_type(node.args["kind"], binary=binary), **found)  # type: ignore[arg-type]


def _default(value: exp.Expression) -> dict[str, object]:
    if isinstance(value, exp.Null):
        return {}
    if isinstance(value, exp.CurrentTimestamp) or value.name.upper() in ("NOW", "LOCALTIMESTAMP"):
        return {"default_now": True}
    if isinstance(value, exp.Boolean):
        return {"default": str(int(value.this))}
    sign = "-" if isinstance(value, exp.Neg) else ""
    literal = value.this if sign else value
    if not isinstance(literal, exp.Literal):
        raise refuse(f"DEFAULT {value.sql('mysql')}")
    return {"default": sign + literal.name}


def read_type(node: exp.DataType, *, binary: bool = False) -> SqlType:
    """Read a type as sqlglot parsed it into our own."""
    name = node.this.value.lower() if isinstance(node.this, exp.DType) else str(node.this).lower()
    arguments: tuple[object, ...] = tuple(
        int(p.this.name) if not p.this.args.get("is_string") else p.this.name
        for p in (e if isinstance(e, exp.DataTypeParam) else exp.DataTypeParam(this=e) for e in node.expressions)
    )
    unsigned = (name.startswith("u") and name[1:] in INTEGERS) or name == "udecimal"
    name = name[1:] if name.startswith("u") and name[1:] in INTEGERS else name
    name, arguments = (SYNONYMS[name][0], SYNONYMS[name][1] or arguments) if name in SYNONYMS else (name, arguments)
    if name not in TEXTS | BLOBS | FLOATS | MOMENTS | INTEGERS.keys() | {"decimal", "date", "time", "json"}:
        raise refuse(f"the type {node.sql('mysql')}")
    if unsigned and name not in INTEGERS:
        raise refuse(f"the type {node.sql('mysql')}")
    return SqlType(name, arguments or DEFAULT_ARGUMENTS.get(name, ()), unsigned, binary and name in TEXTS)


def _read_key(
    table: str, node: exp.Expression, indexes: list[Index], keys: list[ForeignKey], checks: list[tuple[str, str]]
) -> None:
    name = ""
    if isinstance(node, exp.Constraint):
        name, node = node.this.name, node.expressions[0]
    if isinstance(node, exp.PrimaryKey):
        indexes.append(Index("PRIMARY", _names(node.expressions), unique=True))
    elif isinstance(node, exp.UniqueColumnConstraint):
        schema = node.this
        columns = _names(schema.expressions)
        indexes.append(
            Index(
                name or (schema.this.name if schema.this else "") or _free(columns[0], indexes),
                columns,
                unique=True,
            )
        )
    elif isinstance(node, exp.IndexColumnConstraint):
        if node.args.get("kind"):
            raise refuse(f"{node.args['kind']} INDEX")
        indexes.append(Index(node.name or _free(_names(node.expressions)[0], indexes), _names(node.expressions)))
    elif isinstance(node, exp.ForeignKey):
        keys.append(_foreign_key(name or f"{table}_ibfk_{len(keys) + 1}", node, indexes))
    elif isinstance(node, exp.CheckColumnConstraint):
        checks.append((name or f"{table}_chk_{len(checks) + 1}", render(node.this)))
    else:
        raise refuse(node.sql("mysql")[:80])


def _free(name: str, indexes: list[Index]) -> str:
    taken = {i.name for i in indexes}
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 100))) if n not in taken)


def _names(nodes: list[exp.Expression]) -> tuple[str, ...]:
    names = []
    for node in nodes:
        inner = node.this if isinstance(node, exp.Ordered) else node
        if isinstance(inner, exp.Anonymous | exp.ColumnPrefix) or (
            isinstance(node, exp.Ordered) and node.args.get("desc")
        ):
            raise refuse("an index over the first letters of a column, or descending")
        names.append(inner.name)
    return tuple(names)


def _foreign_key(name: str, node: exp.ForeignKey, indexes: list[Index]) -> ForeignKey:
    reference = node.args["reference"]
    columns = _names(node.expressions)
    if not any(i.columns[: len(columns)] == columns for i in indexes):
        indexes.append(Index(name, columns))
    actions = {o.split()[1].upper(): o.split(None, 2)[2].upper() for o in reference.args.get("options") or []}
    if node.args.get("delete"):
        actions["DELETE"] = node.args["delete"].upper()
    if node.args.get("update"):
        actions["UPDATE"] = node.args["update"].upper()
    if set(actions.values()) - set(ACTIONS):
        raise refuse(f"FOREIGN KEY … {actions}")
    schema = reference.this
    return ForeignKey(
        name,
        columns,
        _name(schema.this),
        _names(schema.expressions),
        actions.get("DELETE", ""),
        actions.get("UPDATE", ""),
    )


def sqlite_table(table: Table) -> str:
    """Return SQLite's CREATE TABLE for a table."""
    lines = [f"`{c.name}` {c.type.sqlite}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    if table.primary:
        lines.append(f"PRIMARY KEY ({_quoted(table.primary)})")
    for key in table.foreign_keys:
        deed = "".join(
            f" ON {what} {action}"
            for what, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update))
            if action
        )
        lines.append(
            f"FOREIGN KEY ({_quoted(key.columns)}) REFERENCES `{key.table}` ({_quoted(key.referred)}){deed}"
        )
    lines += [f"CONSTRAINT `{name}` CHECK ({check})" for name, check in table.checks]
    return f"CREATE TABLE `{table.name}` ({', '.join(lines)})"


def sqlite_index(table: Table, index: Index) -> str:
    """Return SQLite's CREATE INDEX; its indexes share one space of names, MySQL's are a table's own."""
    unique = "UNIQUE " if index.unique else ""
    return f"CREATE {unique}INDEX `{table.name}.{index.name}` ON `{table.name}` ({_quoted(index.columns)})"


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _create_index(node: exp.Create, catalog: Catalog) -> Definition:
    found = node.this
    table = catalog.table(_name(found.args["table"]))
    columns = _names(found.args["params"].args["columns"])
    index = Index(found.name, columns, unique=bool(node.args.get("unique")))
    _checked(Table(table.name, table.columns, (index,)))
    return Definition([sqlite_index(table, index)], lambda: catalog.add_index(table.name, index))


def _drop_index(node: exp.Drop, catalog: Catalog) -> Definition:
    table = catalog.table(_name(node.args["cluster"].this))
    name = _dropped(node)[0].name
    return Definition([f"DROP INDEX `{table.name}.{name}`"], lambda: catalog.drop_index(table.name, name))


def _dropped(node: exp.Drop) -> list[exp.Expression]:
    return list(node.args.get("tables") or [node.this])


def _drop_tables(node: exp.Drop, catalog: Catalog, check_keys: bool) -> Definition:
    names = [_name(t) for t in _dropped(node)]
    missing = [n for n in names if n not in catalog.tables]
    if missing and not node.args.get("exists"):
        raise SqlFault(1051, f"Unknown table '{DATABASE}.{missing[0]}'")
    present = [n for n in names if n in catalog.tables]
    for name in present if check_keys else []:
        for child, key in catalog.referring(name):
            if child.name not in present:
                raise SqlFault(
                    3730,
                    f"Cannot drop table '{name}' referenced by a foreign key constraint '{key.name}' on table '{child.name}'.",
                )
    return Definition([f"DROP TABLE `{n}`" for n in present], lambda: [catalog.drop(n) for n in present] and None)


def _truncate(node: exp.TruncateTable, catalog: Catalog) -> Definition:
    name = _name(node.expressions[0])
    table = catalog.table(name)
    for child, key in catalog.referring(table.name):
        raise SqlFault(
            1701,
            f"Cannot truncate a table referenced in a foreign key constraint (`lab`.`{child.name}`, CONSTRAINT `{key.name}`)",
        )
    return Definition([f"DELETE FROM `{name}`"], lambda: catalog.restart_numbers(name))
