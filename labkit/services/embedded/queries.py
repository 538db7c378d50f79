"""Queries: whose columns a name means, and a SELECT rewritten for SQLite with the type of each of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from labkit.services.embedded import calculations, comparisons, expressions  # they register their handlers
from labkit.services.embedded.catalog import Catalog
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.rewriting import NeedsText, call, is_own_column, typed, under
from labkit.services.embedded.sqltypes import BIGINT, INTEGERS, SqlType

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
    grouped: set[tuple[str, str] | None] = field(default_factory=set)  # columns by which rows are grouped
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

    def place(self, node: exp.Expr) -> tuple[str, str] | None:
        """Return the table and the name of a column of these tables, or None."""
        assert isinstance(node, exp.Column)
        name = node.name.lower()
        return next(((t, name) for t, columns in self._tables(node.table) if name in columns), None)

    def star(self, table: str) -> list[tuple[str, SqlType]]:
        """Return the columns that `*` or `table.*` stands for."""
        return [pair for name, _ in self._tables(table) for pair in self.shown[name]]

    def subquery(self, node: exp.Expr) -> SqlType:
        """Rewrite a query inside an expression; its type is that of its first column."""
        inner = node.this if isinstance(node, exp.Exists | exp.Subquery) else node
        if isinstance(node, exp.Subquery) and not isinstance(node.parent, exp.In) and not _has_one_row(inner):
            raise refuse("a query in place of a value, without an aggregate or LIMIT 1")
        if isinstance(node.parent, exp.In) and inner.args.get("limit") is not None:
            raise refuse("LIMIT & IN/ALL/ANY/SOME subquery")
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
    others = query(node.expression, catalog, outer)
    if len(others) != len(columns):
        raise SqlFault(1222, "The used SELECT statements have a different number of columns")
    if node.args["distinct"] and any(kind.is_text and not kind.binary for _, kind in columns):
        raise refuse("UNION of texts: which of two spellings comes out is not known")
    if any(a != b and not _are_alike(a, b) for (_, a), (_, b) in zip(columns, others, strict=True)):
        raise refuse("UNION of columns of different types")
    scope = Scope(catalog, aliases={name.lower(): kind for name, kind in columns}, outer=outer)
    _tail(node, scope)
    return columns


def _are_alike(a: SqlType, b: SqlType) -> bool:
    return {a.name, b.name} <= INTEGERS.keys() or (a.is_text and b.is_text)


def _select(node: exp.Select, catalog: Catalog, outer: Scope | None) -> list[tuple[str, SqlType]]:
    extra = [key for key, value in node.args.items() if value and key not in CLAUSES]
    if extra:
        raise refuse(extra[0].rstrip("_").upper())
    if not node.expressions:
        raise SqlFault(1064, "You have an error in your SQL syntax: SELECT needs something to select")
    scope = Scope(catalog, outer=outer)
    _sources(node, scope)
    _check_groups(node, scope)
    columns = _projections(node, scope)
    scope.aliases = {name.lower(): kind for name, kind in columns}
    if node.args.get("where") is not None and _has_aggregate([node.args["where"]]):
        raise SqlFault(1111, "Invalid use of group function")
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


def _has_one_row(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Select):
        return False
    limit = node.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Placeholder):
        raise NeedsText
    if limit is not None and limit.expression.name == "1":
        return True
    return node.args.get("group") is None and (node.args.get("from_") is None or _has_aggregate(node.expressions))


def _has_aggregate(parts: list[exp.Expr]) -> bool:
    return any(isinstance(each, exp.AggFunc) for part in parts for each in part.walk(prune=_is_separate))


def _is_separate(node: exp.Expr) -> bool:
    return isinstance(node, exp.AggFunc | exp.Query)


def _check_groups(node: exp.Select, scope: Scope) -> None:
    """Refuse a column that is neither aggregated nor fixed by GROUP BY, as ONLY_FULL_GROUP_BY does."""
    group, having, order = (node.args.get(key) for key in ("group", "having", "order"))
    parts = [*node.expressions, *([having.this] if having else []), *(order.expressions if order else [])]
    if group is None and not _has_aggregate(parts):
        if having is not None:
            raise refuse("HAVING without GROUP BY or an aggregate")
        return
    for each in group.expressions if group else []:
        each.replace(_key(each, node).copy())
    keys = group.expressions if group else []
    fixed = {scope.place(key) for key in keys if isinstance(key, exp.Column)}
    scope.grouped = fixed.copy()
    for source in node.find_all(exp.Table):
        if (table := scope.catalog.tables.get(source.name)) is not None:
            name = source.alias_or_name
            if any({(name, column.lower()) for column in key} <= fixed for key in table.row_keys):
                columns = {(name, column.name.lower()) for column in table.columns}
                fixed, scope.grouped = fixed | columns, scope.grouped - columns
    texts = {key.sql() for key in keys}
    for part in parts:
        for each in part.walk(prune=lambda found: _is_separate(found) or found.sql() in texts):
            is_column = isinstance(each, exp.Column | exp.Star) and each.sql() not in texts
            if is_column and (isinstance(each, exp.Star) or scope.place(each) not in {None, *fixed}):
                raise refuse(f"{each.sql('mysql')} beside aggregates, without a GROUP BY that fixes it")


def _key(key: exp.Expr, node: exp.Select) -> exp.Expr:
    """Return what a key of GROUP BY stands for: itself, or what is selected under that name."""
    named = [each.this for each in node.expressions if isinstance(each, exp.Alias) and each.alias == key.sql()]
    return named[0] if named else key


def _projections(node: exp.Select, scope: Scope) -> list[tuple[str, SqlType]]:
    columns: list[tuple[str, SqlType]] = []
    for at, item in enumerate(list(node.expressions)):
        if isinstance(item, exp.Star) or (isinstance(item.this, exp.Star) and isinstance(item, exp.Column)):
            columns += _star(item, scope)
        else:
            columns.append(_projection(item, scope))
            rewritten, collation = node.expressions[at].unalias(), columns[-1][1].collation
            if node.args.get("distinct") and collation != "BINARY" and not is_own_column(rewritten):
                rewritten.replace(under(rewritten, collation))
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
        name = item.meta.get("written") or item.sql("mysql")
    column = item.unalias()
    place = scope.place(column) if isinstance(column, exp.Column) else None
    kind = typed(item, scope)
    if place in scope.grouped - {None} and kind.collation == "ci":
        column.replace(call("one_spelling", column.copy()))
    return name, kind


def _tail(node: exp.Expr, scope: Scope) -> None:
    """Rewrite ORDER BY, LIMIT and OFFSET."""
    for item in node.args["order"].expressions if node.args.get("order") else []:
        _position(item.this)
        kind = typed(item, scope)
        if kind.collation != "BINARY" and not isinstance(item.this, exp.Literal):
            item.set("this", under(item.this, kind.collation))
    for key in ("limit", "offset"):
        if (clause := node.args.get(key)) is not None:
            value = clause.expression
            if not (value.is_int if isinstance(value, exp.Literal) else value.name.startswith("i")):
                raise refuse(f"{key.upper()} with anything but a number")
    if node.args.get("offset") is not None and node.args.get("limit") is None:
        raise refuse("OFFSET without LIMIT")


def _position(node: exp.Expr) -> None:
    """Ask for the text where a number names a column by its position."""
    if isinstance(node, exp.Placeholder):
        raise NeedsText
