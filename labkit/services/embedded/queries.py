"""Queries: whose columns a name means, and a SELECT rewritten for SQLite with the type of each of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from labkit.services.embedded import calculations, comparisons, expressions  # they register their handlers
from labkit.services.embedded.catalog import Catalog
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.rewriting import NeedsText, typed, under
from labkit.services.embedded.sqltypes import BIGINT, SqlType

__all__ = ["Scope", "base_table", "calculations", "comparisons", "expressions", "query"]

Columns = Mapping[str, SqlType]
CLAUSES = {
    "expressions",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "distinct",
    "locks",
}


@dataclass
class Scope:
    """What names mean at one place of a statement: the tables in sight, their columns, and the aliases."""

    catalog: Catalog
    tables: dict[str, Columns] = field(default_factory=dict)
    aliases: dict[str, SqlType] = field(default_factory=dict)
    outer: Scope | None = None
    derived: set[str] = field(default_factory=set)
    shown: dict[str, list[tuple[str, SqlType]]] = field(default_factory=dict)

    def column(self, node: exp.Column) -> SqlType:
        """Return a column's type, and leave out the database's name."""
        node.set("db", None)
        name = node.name.lower()
        found = [(t, columns[name]) for t, columns in self._tables(node.table) if name in columns]
        if found:
            if found[0][0] in self.derived:
                node.meta["computed"] = True
            return found[0][1]
        if not node.table and name in self.aliases:
            node.meta["computed"] = True
            return self.aliases[name]
        if self.outer is not None:
            return self.outer.column(node)
        shown = f"{node.table}.{node.name}" if node.table else node.name
        raise SqlFault(1054, f"Unknown column '{shown}' in '{_clause(node)}'")

    def _tables(self, wanted: str) -> list[tuple[str, Columns]]:
        return [(name, columns) for name, columns in self.tables.items() if not wanted or wanted == name]

    def star(self, table: str) -> list[tuple[str, SqlType]]:
        """Return the columns that `*` or `table.*` stands for."""
        return [pair for name, _ in self._tables(table) for pair in self.shown[name]]

    def subquery(self, node: exp.Expr) -> SqlType:
        """Rewrite a query inside an expression; its type is that of its first column."""
        inner = node.this if isinstance(node, exp.Exists | exp.Subquery) else node
        columns = query(inner, self.catalog, self)
        return BIGINT if isinstance(node, exp.Exists) else columns[0][1]

    def add(self, name: str, columns: list[tuple[str, SqlType]]) -> None:
        """Bring a table into sight under a name."""
        if name in self.tables:
            raise SqlFault(1066, f"Not unique table/alias: '{name}'")
        self.shown[name] = columns
        self.tables[name] = {column.lower(): kind for column, kind in columns}


def _clause(node: exp.Expr) -> str:
    """Name the clause that a node stands in, as MySQL's error texts do."""
    clauses = {exp.Where: "where clause", exp.Order: "order clause", exp.Group: "group statement",
               exp.Having: "having clause", exp.Join: "on clause"}  # fmt: skip
    found = node.find_ancestor(*clauses)
    return clauses[type(found)] if found is not None else "field list"


def base_table(node: exp.Expr, catalog: Catalog) -> list[tuple[str, SqlType]]:
    """Return a table's columns, after leaving out the database's name; fault if there is no such table."""
    database = node.args.get("db")
    if database is not None and database.name.lower() != catalog.database:
        raise SqlFault(1049, f"Unknown database '{database.name}'")
    node.set("db", None)
    return [(column.name, column.type) for column in catalog.table(node.name).columns]


def query(node: exp.Expr, catalog: Catalog, outer: Scope | None = None) -> list[tuple[str, SqlType]]:
    """Rewrite a SELECT or UNION in place; return its columns' names and types."""
    if isinstance(node, exp.Subquery) and not node.alias:
        return query(node.this, catalog, outer)
    if isinstance(node, exp.Union):
        return _union(node, catalog, outer)
    if not isinstance(node, exp.Select):
        raise refuse(node.sql("mysql")[:80])
    return _select(node, catalog, outer)


def _union(node: exp.Union, catalog: Catalog, outer: Scope | None) -> list[tuple[str, SqlType]]:
    if isinstance(node.this, exp.Subquery) or isinstance(node.expression, exp.Subquery):
        raise refuse("UNION of queries in brackets")
    if node.args.get("with_"):
        raise refuse("WITH")
    columns = query(node.this, catalog, outer)
    query(node.expression, catalog, outer)
    scope = Scope(catalog, aliases={name.lower(): kind for name, kind in columns}, outer=outer)
    _tail(node, scope)
    return columns


def _select(node: exp.Select, catalog: Catalog, outer: Scope | None) -> list[tuple[str, SqlType]]:
    extra = [key for key, value in node.args.items() if value and key not in CLAUSES]
    if extra:
        raise refuse(extra[0].rstrip("_").upper())
    scope = Scope(catalog, outer=outer)
    _sources(node, scope)
    columns = _projections(node, scope)
    scope.aliases = {name.lower(): kind for name, kind in columns}
    for key in ("where", "having"):
        if node.args.get(key) is not None:
            typed(node.args[key].this, scope)
    for key in node.args["group"].expressions if node.args.get("group") else []:
        _position(key)
        kind = typed(key, scope)
        if not isinstance(key, exp.Column) and kind.collation != "BINARY":
            key.replace(under(key, kind.collation))
    _tail(node, scope)
    node.set("locks", None)
    return columns


def _sources(node: exp.Select, scope: Scope) -> None:
    first = node.args.get("from_")
    if first is None:
        return
    if isinstance(first.this, exp.Table) and first.this.name.upper() == "DUAL":
        node.set("from_", None)
        return
    _source(first.this, scope)
    for join in node.args.get("joins") or []:
        if join.args.get("using") or join.method or join.side == "RIGHT" or join.side == "FULL":
            raise refuse(f"{join.side or join.method or 'USING'} JOIN".strip())
        _source(join.this, scope)
    for join in node.args.get("joins") or []:
        if join.args.get("on") is not None:
            typed(join.args["on"], scope)


def _source(node: exp.Expr, scope: Scope) -> None:
    if isinstance(node, exp.Subquery):
        scope.add(node.alias, query(node.this, scope.catalog, scope.outer))
        scope.derived.add(node.alias)
    elif isinstance(node, exp.Table) and not node.args.get("joins"):
        scope.add(node.alias or node.name, base_table(node, scope.catalog))
        for key in ("hints", "partition", "sample"):
            if node.args.get(key):
                raise refuse(key)
    else:
        raise refuse(node.sql("mysql")[:80])


def _projections(node: exp.Select, scope: Scope) -> list[tuple[str, SqlType]]:
    columns: list[tuple[str, SqlType]] = []
    for item in list(node.expressions):
        if isinstance(item, exp.Star) or (isinstance(item.this, exp.Star) and isinstance(item, exp.Column)):
            columns += _star(item, scope)
        else:
            columns.append(_projection(item, scope))
    return columns


def _star(item: exp.Expr, scope: Scope) -> list[tuple[str, SqlType]]:
    table = item.args.get("table")
    if table is not None and table.name not in scope.tables:
        raise SqlFault(1051, f"Unknown table '{table.name}'")
    if isinstance(item, exp.Column):
        item.set("db", None)
    return scope.star(table.name if table is not None else "")


def _projection(item: exp.Expr, scope: Scope) -> tuple[str, SqlType]:
    if isinstance(item, exp.Alias | exp.Column):
        name = item.alias_or_name
    elif item.find(exp.Placeholder):
        raise NeedsText  # the column is named by its text
    else:
        name = item.name if isinstance(item, exp.Literal) else item.sql("mysql")
    return name, typed(item, scope)


def _tail(node: exp.Expr, scope: Scope) -> None:
    """Rewrite ORDER BY, LIMIT and OFFSET."""
    for item in node.args["order"].expressions if node.args.get("order") else []:
        _position(item.this)
        kind = typed(item, scope)
        if kind.collation != "BINARY" and not isinstance(item.this, exp.Literal):
            item.set("this", under(item.this, kind.collation))
    if node.args.get("offset") is not None and node.args.get("limit") is None:
        raise refuse("OFFSET without LIMIT")


def _position(node: exp.Expr) -> None:
    """Ask for the text where a number names a column by its position."""
    if isinstance(node, exp.Placeholder):
        raise NeedsText
