"""The statements that make and drop tables and indexes, read into the catalog's words and written for SQLite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from sqlglot import exp

from labkit.embedded.schema import DATABASE, Catalog, Column, ForeignKey, Index, Table, free_name, in_order
from labkit.embedded.values import (
    BLOBS,
    FLOATS,
    INTEGERS,
    MOMENTS,
    REFUSED,
    TEXTS,
    SqlFault,
    SqlType,
    is_binary,
    refuse,
)

__all__ = ["Definition", "define", "table_name"]

SYNONYMS = {"boolean": ("tinyint", (1,)), "timestamptz": ("timestamp", ())}
DEFAULT_ARGUMENTS: dict[str, tuple[int, ...]] = {"decimal": (10, 0), "char": (1,), "binary": (1,)}
PROPERTIES = {("engineproperty", "innodb"), ("charactersetproperty", "utf8mb4"),
              ("collateproperty", "utf8mb4_0900_ai_ci")}  # fmt: skip
NO_DEFAULT = "\0"  # DEFAULT NULL, until it is known whether the column takes it
TYPES = TEXTS | BLOBS | FLOATS | MOMENTS | INTEGERS.keys() | {"decimal", "date", "json"}


@dataclass(frozen=True)
class Definition:
    """A definition's SQLite statements, and the change to the catalog that goes with them."""

    statements: list[str]
    apply: Callable[[], None]


def define(node: exp.Expr, catalog: Catalog, *, check_keys: bool) -> Definition:
    """Return what a CREATE or DROP statement does; fault what MySQL faults."""
    match node, node.text("kind").upper():
        case exp.Create(), "TABLE":
            return _create_table(node, catalog, check_keys)
        case exp.Create(), "INDEX":
            return _create_index(node, catalog)
        case exp.Drop(), "TABLE":
            return _drop_tables(node, catalog, check_keys)
    raise refuse(node.sql("mysql"))


def table_name(table: exp.Expr) -> str:
    """Return a table's name without its database's; fault another database."""
    if table.text("db") not in ("", DATABASE):
        raise SqlFault(1049, f"Unknown database '{table.text('db')}'")
    return table.name


def _create_table(node: exp.Create, catalog: Catalog, check_keys: bool) -> Definition:
    if not isinstance(node.this, exp.Schema) or node.args.get("expression") is not None:
        raise refuse("CREATE TABLE … SELECT or LIKE")
    name = table_name(node.this.this)
    if name in catalog.tables:
        if not node.args.get("exists"):
            raise SqlFault(1050, f"Table '{name}' already exists")
        return Definition([], lambda: None)
    table = TableReader(name, node).table()
    for key in table.foreign_keys:
        if check_keys and key.table != name and key.table not in catalog.tables:
            raise SqlFault(1824, f"Failed to open the referenced table '{key.table}'")
    lines = [f"`{c.name}` {c.type.sqlite}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    if table.primary:
        lines.append(f"PRIMARY KEY ({_quoted(table.primary)})")
    for key in table.foreign_keys:
        target = f"`{key.table}` ({_quoted(key.referred)}){key.actions}"
        lines.append(f"FOREIGN KEY ({_quoted(key.columns)}) REFERENCES {target}")
    indexes = [_sqlite_index(name, index) for index in table.indexes if index.name != "PRIMARY"]
    return Definition([f"CREATE TABLE `{name}` ({', '.join(lines)})", *indexes], lambda: catalog.put(table))


def _sqlite_index(table: str, index: Index) -> str:
    """Return SQLite's CREATE INDEX; its indexes share one space of names, MySQL's are a table's own."""
    kind = "UNIQUE INDEX" if index.unique else "INDEX"
    return f"CREATE {kind} `{table}.{index.name}` ON `{table}` ({_quoted(index.columns)})"


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _create_index(node: exp.Create, catalog: Catalog) -> Definition:
    found = node.this
    table = catalog.table(table_name(found.args["table"]))
    index = _index(found.name, found.args["params"].args["columns"], unique=bool(node.args.get("unique")))
    if any(i.name.lower() == index.name.lower() for i in table.indexes):
        raise SqlFault(1061, f"Duplicate key name '{index.name}'")
    _check_columns(table, index)
    changed = table.with_index(index)
    dropped = [f"DROP INDEX `{table.name}.{i.name}`" for i in table.indexes if i not in changed.indexes]
    return Definition([*dropped, _sqlite_index(table.name, index)], lambda: catalog.put(changed))


def _drop_tables(node: exp.Drop, catalog: Catalog, check_keys: bool) -> Definition:
    names = [table_name(t) for t in node.args.get("tables") or [node.this]]
    present = [n for n in names if n in catalog.tables]
    if len(present) < len(names) and not node.args.get("exists"):
        raise SqlFault(1051, f"Unknown table '{DATABASE}.{next(n for n in names if n not in present)}'")
    for name in present if check_keys else []:
        for child, key in catalog.referring(name):
            if child.name not in present:
                text = f"referenced by a foreign key constraint '{key.name}' on table '{child.name}'."
                raise SqlFault(3730, f"Cannot drop table '{name}' {text}")
    return Definition([f"DROP TABLE `{n}`" for n in present], lambda: catalog.drop(*present))


class TableReader:
    """Read a CREATE TABLE statement: its columns and keys, from the parsed statement."""

    def __init__(self, name: str, node: exp.Create) -> None:
        self._name = name
        self._columns: list[Column] = []
        self._indexes: list[Index] = []
        self._keys: list[ForeignKey] = []
        for each in node.args["properties"].expressions if node.args.get("properties") else []:
            if (each.key, each.name.lower()) not in PROPERTIES:
                raise refuse(f"CREATE TABLE with {each.sql('mysql')}")
        for item in node.this.expressions:
            if isinstance(item, exp.ColumnDef):
                self._read_column(item)
            elif isinstance(item, exp.Constraint):
                self._read_key(item.this.name, item.expressions[0])
            else:
                self._read_key("", item)

    def table(self) -> Table:
        """Return the table that the statement makes; fault what MySQL faults."""
        primary = [column.lower() for index in self._indexes if index.name == "PRIMARY" for column in index.columns]
        columns = tuple(replace(c, nullable=c.nullable and c.name.lower() not in primary) for c in self._columns)
        indexes = in_order(self._needed_indexes())
        table = Table(self._name, columns, indexes, tuple(self._keys))
        if not columns:
            raise SqlFault(1064, "You have an error in your SQL syntax near ')'")
        if sum(index.name == "PRIMARY" for index in indexes) > 1:
            raise SqlFault(1068, "Multiple primary key defined")
        for index in indexes:
            if sum(other.name.lower() == index.name.lower() for other in indexes) > 1:
                raise SqlFault(1061, f"Duplicate key name '{index.name}'")
            _check_columns(table, index)
        if (
            sum(4 * column.type.arguments[0] for column in columns if column.type.name in ("char", "varchar"))
            > 65_000
        ):
            raise refuse("a row as long as this one")
        numbered = [column.name for column in columns if column.auto_increment]
        if numbered and (len(numbered) > 1 or not any(index.columns[0] == numbered[0] for index in indexes)):
            text = "there can be only one auto column and it must be defined as a key"
            raise SqlFault(1075, f"Incorrect table definition; {text}")
        return table

    def _needed_indexes(self) -> list[Index]:
        """Return the indexes without those for a foreign key that another one serves."""
        kept: list[Index] = [index for index in self._indexes if not index.implicit]
        for index in (index for index in self._indexes if index.implicit):
            if not any(other.columns[: len(index.columns)] == index.columns for other in kept):
                kept.append(replace(index, name=free_name(index.name, kept)))
        places = {index.columns: at for at, index in reversed([*enumerate(self._indexes)])}
        return sorted(kept, key=lambda index: places[index.columns])

    def _read_column(self, node: exp.ColumnDef) -> None:
        if any(c.name.lower() == node.name.lower() for c in self._columns):
            raise SqlFault(1060, f"Duplicate column name '{node.name}'")
        found: dict[str, Any] = {}
        for constraint in node.constraints:
            found |= self._read_constraint(node.name, constraint.kind)
        kind = _read_type(node.args["kind"], binary=found.pop("binary", False))
        _check_type(node.name, kind)
        self._columns.append(_with_default(Column(node.name, kind, **found)))

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
                return {"binary": is_binary(kind.this.name)}
            case exp.PrimaryKeyColumnConstraint():
                self._indexes.append(Index("PRIMARY", (column,), unique=True))
            case exp.UniqueColumnConstraint():
                self._indexes.append(Index(column, (column,), unique=True))
            case exp.CharacterSetColumnConstraint() if kind.this.name.lower() == "utf8mb4":
                pass
            case _:
                raise refuse(kind.sql("mysql"))
        return {}

    def _read_key(self, name: str, node: exp.Expr) -> None:
        match node:
            case exp.PrimaryKey():
                self._indexes.append(_index("PRIMARY", node.expressions, unique=True))
            case exp.UniqueColumnConstraint():
                schema = node.this
                self._add_index(name or (schema.this.name if schema.this else ""), schema.expressions, unique=True)
            case exp.IndexColumnConstraint() if not node.args.get("kind"):
                self._add_index(node.name, node.expressions, unique=False)
            case exp.ForeignKey():
                key = _foreign_key(name or f"{self._name}_ibfk_{len(self._keys) + 1}", node)
                self._keys.append(key)
                # MySQL makes an index for it at this place, unless another one serves it.
                self._indexes.append(Index(name or key.columns[0], key.columns, implicit=True))
            case _:
                raise refuse(node.sql("mysql"))

    def _add_index(self, name: str, columns: list[exp.Expr], *, unique: bool) -> None:
        index = _index(name, columns, unique=unique)
        self._indexes.append(replace(index, name=name or free_name(index.columns[0], self._indexes)))


def _check_columns(table: Table, index: Index) -> None:
    for name, part in zip_longest(index.columns, index.parts):
        column = table.column(name)
        if column is None:
            raise SqlFault(1072, f"Key column '{name}' doesn't exist in table")
        if column.type.name.endswith(("text", "blob")) and not (part or "").endswith(")"):
            text = f"BLOB/TEXT column '{column.name}' used in key specification without a key length"
            raise SqlFault(1170, text)
        if column.type.name == "json":
            raise refuse("a key over JSON")


def _check_type(column: str, kind: SqlType) -> None:
    """Fault what MySQL faults of a type's lengths and choices."""
    longest = {"char": 255, "binary": 255, "varchar": 16383, "varbinary": 65532}.get(kind.name)
    if longest is not None and kind.arguments[0] > longest:
        text = f"Column length too big for column '{column}' (max = {longest}); use BLOB or TEXT instead"
        raise SqlFault(1074, text)
    if kind.name in MOMENTS and kind.scale > 6:
        raise SqlFault(1426, f"Too-big precision {kind.scale} specified for '{column}'. Maximum is 6.")
    if kind.name == "decimal" and kind.arguments[0] > 65:
        raise SqlFault(1426, f"Too-big precision {kind.arguments[0]} specified for '{column}'. Maximum is 65.")
    if kind.name == "decimal" and (kind.scale > 30 or kind.scale > kind.arguments[0]):
        if kind.scale > 30:
            raise SqlFault(1425, f"Too big scale {kind.scale} specified for column '{column}'. Maximum is 30.")
        text = "For float(M,D), double(M,D) or decimal(M,D), M must be >= D"
        raise SqlFault(1427, f"{text} (column '{column}').")
    choices = [choice.casefold() for choice in kind.arguments] if kind.name == "enum" else []
    for at, choice in enumerate(choices):
        if choice in choices[:at]:
            raise SqlFault(1291, f"Column '{column}' has duplicated value '{kind.arguments[at]}' in ENUM")


def _with_default(column: Column) -> Column:
    """Return the column with its default as the type keeps it; fault one that does not fit."""
    kind, wrong = column.type, SqlFault(1067, f"Invalid default value for '{column.name}'")
    if column.default_now is not None:
        if column.default is None and not (kind.name in MOMENTS and kind.scale == column.default_now):
            raise wrong
        return column
    if column.default is None:
        return column
    if column.default == NO_DEFAULT:
        if not column.nullable:
            raise wrong
        return replace(column, default=None)
    if kind.name.endswith(("text", "blob")) or kind.name == "json":
        text = f"BLOB, TEXT, GEOMETRY or JSON column '{column.name}' can't have a default value"
        raise SqlFault(1101, text)
    try:
        kept = kind.keep(column.default, column.name, 1)
    except SqlFault as fault:
        raise fault if fault.number == REFUSED else wrong from None
    if isinstance(kept, bytes) or (isinstance(kept, float) and not kept.is_integer()):
        raise refuse(f"DEFAULT {column.default} of a {kind.name}")
    return replace(column, default=str(int(kept) if isinstance(kept, float) else kept))


def _default(value: exp.Expr) -> dict[str, Any]:
    if isinstance(value, exp.Null):
        return {"default": NO_DEFAULT}
    inner = value.unnest()
    if isinstance(inner, exp.CurrentTimestamp) or inner.name.upper() in ("NOW", "LOCALTIMESTAMP"):
        digits = inner.this if isinstance(inner, exp.CurrentTimestamp) else next(iter(inner.expressions), None)
        scale = int(digits.name) if digits is not None else 0
        if inner is not value and (scale or inner.name.upper() != "NOW"):
            raise refuse(f"DEFAULT {value.sql('mysql')}")
        return {"default_now": scale, "default": None if inner is value else "now()"}
    if isinstance(value, exp.Boolean):
        return {"default": str(int(value.this))}
    literal = value.this if isinstance(value, exp.Neg) else value
    if not isinstance(literal, exp.Literal):
        raise refuse(f"DEFAULT {value.sql('mysql')}")
    return {"default": literal.name if literal is value else f"-{literal.name}"}


def _read_type(node: exp.DataType, *, binary: bool = False) -> SqlType:
    name = str(getattr(node.this, "value", node.this)).lower()
    inside = [each.this if isinstance(each, exp.DataTypeParam) else each for each in node.expressions]
    arguments = tuple(each.name if each.is_string else int(each.name) for each in inside)
    unsigned = name.startswith("u") and name[1:] in INTEGERS
    name, fixed = SYNONYMS.get(name, (name[unsigned:], ()))
    if name not in TYPES:
        raise refuse(f"the type {node.sql('mysql')}")
    if name in ("varchar", "varbinary") and not arguments:
        raise SqlFault(1064, f"You have an error in your SQL syntax near '{node.sql('mysql')}'")
    return SqlType(name, fixed or arguments or DEFAULT_ARGUMENTS.get(name, ()), unsigned, binary and name in TEXTS)


def _index(name: str, nodes: list[exp.Expr], *, unique: bool) -> Index:
    """Return an index over what stands in a key's brackets: columns, or the first letters of some."""
    names, parts = [], []
    for node in nodes:
        inner = node.this if isinstance(node, exp.Ordered) else node
        letters = ""
        if isinstance(inner, exp.Anonymous | exp.ColumnPrefix):
            letters = f"({(inner.expression or inner.expressions[0]).name})"
        if letters and unique:
            raise refuse("a unique index over the first letters of a column")
        names.append(inner.name)
        parts.append(f"`{inner.name}`{letters}{' DESC' if node.args.get('desc') else ''}")
    return Index(name, tuple(names), unique, tuple(parts))


def _foreign_key(name: str, node: exp.ForeignKey) -> ForeignKey:
    reference = node.args["reference"]
    options = [option.upper() for option in reference.args.get("options") or []]
    deleting = (node.args.get("delete") or "").upper() or next(iter(options), "").removeprefix("ON DELETE ")
    if node.args.get("update") or len(options) > 1 or deleting not in ("", "RESTRICT", "CASCADE", "SET NULL"):
        raise refuse("a foreign key with more than ON DELETE RESTRICT, CASCADE or SET NULL")
    columns, referred = (_index("", each.expressions, unique=True).columns for each in (node, reference.this))
    actions = deleting and f" ON DELETE {deleting}"
    return ForeignKey(name, columns, table_name(reference.this.this), referred, actions)
