"""Reading CREATE TABLE: columns, keys and checks, from the parsed statement into the catalog's own words."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import Any

from sqlglot import exp

from labkit.services.embedded.catalog import DATABASE, Catalog, Column, ForeignKey, Index, Table
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.plans import render
from labkit.services.embedded.queries import Scope
from labkit.services.embedded.rewriting import typed
from labkit.services.embedded.sqltypes import BLOBS, FLOATS, INTEGERS, MOMENTS, TEXTS, SqlType

__all__ = ["check_columns", "index_over", "properties", "read_table", "table_name"]

SYNONYMS = {"boolean": ("tinyint", (1,)), "timestamptz": ("timestamp", ()), "udecimal": ("decimal unsigned", ())}
DEFAULT_ARGUMENTS: dict[str, tuple[int, ...]] = {"decimal": (10, 0), "char": (1,), "binary": (1,)}
ACTIONS = {"", "NO ACTION", "RESTRICT", "CASCADE", "SET NULL"}
TYPES = TEXTS | BLOBS | FLOATS | MOMENTS | INTEGERS.keys() | {"decimal", "date", "time", "json"}


def table_name(table: exp.Expr) -> str:
    """Return a table's name without its database's; fault another database."""
    database = table.args.get("db")
    if database is not None and database.name != DATABASE:
        raise SqlFault(1049, f"Unknown database '{database.name}'")
    return table.name


def properties(node: exp.Create) -> list[exp.Expr]:
    """Return what stands behind the brackets of CREATE TABLE."""
    return list(node.args["properties"].expressions) if node.args.get("properties") else []


def read_table(name: str, node: exp.Create) -> Table:
    """Read a CREATE TABLE statement into a table; fault what MySQL faults."""
    reader = TableReader(name, node)
    primary = {p.lower() for i in reader.indexes if i.name == "PRIMARY" for p in i.columns}
    columns = tuple(replace(c, nullable=c.nullable and c.name.lower() not in primary) for c in reader.columns)
    indexes = sorted(reader.indexes, key=lambda i: (i.name != "PRIMARY", not i.unique))
    comment = next((p.this.name for p in properties(node) if isinstance(p, exp.SchemaCommentProperty)), "")
    table = Table(name, columns, tuple(indexes), tuple(reader.keys), comment=comment).with_key_indexes()
    if sum(index.name == "PRIMARY" for index in table.indexes) > 1:
        raise SqlFault(1068, "Multiple primary key defined")
    for index in table.indexes:
        check_columns(table, index)
    return replace(table, checks=tuple((n, _check(table, check)) for n, check in reader.checks))


def check_columns(table: Table, index: Index) -> None:
    """Fault a key over a column that isn't there."""
    for name, part in zip_longest(index.columns, index.parts):
        column = table.column(name)
        if column is None:
            raise SqlFault(1072, f"Key column '{name}' doesn't exist in table")
        if column.type.name.endswith(("text", "blob")) and not (part or "").endswith(")"):
            text = f"BLOB/TEXT column '{column.name}' used in key specification without a key length"
            raise SqlFault(1170, text)
        if column.type.name == "json":
            raise refuse("a key over JSON")


def _check(table: Table, check: exp.Expr) -> str:
    catalog = Catalog()
    scope = Scope(catalog)
    scope.add(table.name, [(c.name, c.type) for c in table.columns])
    holder = exp.Paren(this=check.copy())
    typed(holder.this, scope)
    return render(holder.this)


class TableReader:
    """Read the items between the brackets of one CREATE TABLE statement."""

    def __init__(self, table: str, node: exp.Create) -> None:
        self.table = table
        self.columns: list[Column] = []
        self.indexes: list[Index] = []
        self.keys: list[ForeignKey] = []
        self.checks: list[tuple[str, exp.Expr]] = []
        collations = [p.name.lower() for p in properties(node) if isinstance(p, exp.CollateProperty)]
        self._binary = any(name.endswith("_bin") for name in collations)
        for item in node.this.expressions:
            self._read(item)

    def _read(self, item: exp.Expr) -> None:
        if isinstance(item, exp.ColumnDef):
            self._read_column(item)
        elif isinstance(item, exp.Constraint):
            self._read_key(item.this.name, item.expressions[0])
        else:
            self._read_key("", item)

    def _read_column(self, node: exp.ColumnDef) -> None:
        if any(c.name.lower() == node.name.lower() for c in self.columns):
            raise SqlFault(1060, f"Duplicate column name '{node.name}'")
        found: dict[str, Any] = {"binary": self._binary}
        for constraint in node.constraints:
            found |= self._read_constraint(node.name, constraint.kind)
        kind = read_type(node.args["kind"], binary=found.pop("binary"))
        self.columns.append(Column(node.name, kind, **found))

    def _read_constraint(self, column: str, kind: exp.Expr) -> dict[str, Any]:
        match kind:
            case exp.NotNullColumnConstraint():
                return {"nullable": bool(kind.args.get("allow_null"))}
            case exp.AutoIncrementColumnConstraint():
                return {"auto_increment": True}
            case exp.DefaultColumnConstraint():
                return _default(kind.this)
            case exp.CommentColumnConstraint():
                return {"comment": kind.this.name}
            case exp.CollateColumnConstraint():
                return {"binary": kind.this.name.lower().endswith("_bin")}
            case exp.PrimaryKeyColumnConstraint():
                self.indexes.append(Index("PRIMARY", (column,), unique=True))
            case exp.UniqueColumnConstraint():
                self.indexes.append(Index(column, (column,), unique=True))
            case exp.CheckColumnConstraint():
                self._add_check("", kind)
            case exp.CharacterSetColumnConstraint():
                pass
            case _:
                raise refuse(kind.sql("mysql"))
        return {}

    def _read_key(self, name: str, node: exp.Expr) -> None:
        match node:
            case exp.PrimaryKey():
                self.indexes.append(Index("PRIMARY", names_of(node.expressions), unique=True))
            case exp.UniqueColumnConstraint():
                schema = node.this
                self._add_index(name or (schema.this.name if schema.this else ""), schema.expressions, unique=True)
            case exp.IndexColumnConstraint() if not node.args.get("kind"):
                self._add_index(node.name, node.expressions, unique=False)
            case exp.ForeignKey():
                self.keys.append(_foreign_key(name or f"{self.table}_ibfk_{len(self.keys) + 1}", node))
            case exp.CheckColumnConstraint():
                self._add_check(name, node)
            case _:
                raise refuse(node.sql("mysql")[:80])

    def _add_index(self, name: str, columns: list[exp.Expr], *, unique: bool) -> None:
        index, taken = index_over(name, columns, unique=unique), {i.name for i in self.indexes}
        first = index.columns[0]
        free = (n for n in (first, *(f"{first}_{i}" for i in range(2, 100))) if n not in taken)
        self.indexes.append(replace(index, name=name or next(free)))

    def _add_check(self, name: str, node: exp.Expr) -> None:
        self.checks.append((name or f"{self.table}_chk_{len(self.checks) + 1}", node.this))


def _default(value: exp.Expr) -> dict[str, Any]:
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
    arguments = tuple(_argument(e.this if isinstance(e, exp.DataTypeParam) else e) for e in node.expressions)
    unsigned = name.startswith("u") and name[1:] in INTEGERS
    name, fixed = SYNONYMS.get(name, (name[unsigned:], ()))
    if name not in TYPES:
        raise refuse(f"the type {node.sql('mysql')}")
    arguments = fixed or arguments or DEFAULT_ARGUMENTS.get(name, ())
    return SqlType(name, arguments, unsigned, binary and name in TEXTS)


def _argument(node: exp.Expr) -> int | str:
    return node.name if node.args.get("is_string") else int(node.name)


def index_over(name: str, nodes: list[exp.Expr], *, unique: bool) -> Index:
    """Return an index over what stands in a key's brackets: columns, or the first letters of some."""
    names, parts = [], []
    for node in nodes:
        inner = node.this if isinstance(node, exp.Ordered) else node
        part = f"`{inner.name}`"
        if isinstance(inner, exp.Anonymous | exp.ColumnPrefix):
            if unique:
                raise refuse("a unique index over the first letters of a column")
            part += f"({(inner.expression or inner.expressions[0]).name})"
        names.append(inner.name)
        parts.append(f"{part} DESC" if node.args.get("desc") else part)
    return Index(name, tuple(names), unique, tuple(parts))


def names_of(nodes: list[exp.Expr]) -> tuple[str, ...]:
    """Return the columns' names in a key's brackets."""
    return index_over("", nodes, unique=True).columns


def _foreign_key(name: str, node: exp.ForeignKey) -> ForeignKey:
    schema = node.args["reference"].this
    options = [option.upper().split(None, 2) for option in node.args["reference"].args.get("options") or []]
    actions = {words[1]: words[2] for words in options if words[0] == "ON"}
    on_delete = (node.args.get("delete") or actions.get("DELETE", "")).upper()
    on_update = (node.args.get("update") or actions.get("UPDATE", "")).upper()
    if not {on_delete, on_update} <= ACTIONS:
        raise refuse(f"ON DELETE {on_delete} ON UPDATE {on_update}")
    columns, referred = names_of(node.expressions), names_of(schema.expressions)
    return ForeignKey(name, columns, table_name(schema.this), referred, on_delete, on_update)
