"""Queries: a SELECT rewritten for SQLite, with the name and the type of each of its columns."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite
from sqlglot.errors import ErrorLevel

from labkit.embedded.expressions import HANDLERS, NeedsText, Scope, call, exact, is_own_column, typed, under
from labkit.embedded.schema import Catalog
from labkit.embedded.values import BIGINT, SqlFault, SqlType, refuse

__all__ = ["Columns", "Plan", "base_table", "only", "query", "render"]

Columns = list[tuple[str, SqlType]]
CLAUSES = (
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
)


@dataclass(frozen=True)
class Plan:
    """
    One statement as SQLite runs it, and what is needed to answer as MySQL does.

    `columns` are the result's, None for a statement that gives no rows. `reads` are the tables that a query
    reads, `locks` says that rows are locked or changed. `table` is the one that is written to, `given` those of
    its columns that the statement itself fills, `rows` how many rows it writes at most, 0 for any number. `sleep`
    is the argument of SLEEP(), `information` a query on the information schema.
    """

    sql: str
    columns: tuple[tuple[str, SqlType], ...] | None = None
    locks: bool = False
    reads: frozenset[str] = field(default_factory=frozenset)
    table: str = ""
    kind: str = "select"
    given: frozenset[str] = field(default_factory=frozenset)
    rows: int = 0
    sleep: exp.Expr | None = None
    information: exp.Expr | None = None


class Backticks(SQLite):
    """SQLite's dialect with names in backticks: in double quotes an unknown name would silently become a text."""

    class Tokenizer(SQLite.Tokenizer):
        """Quote names as MySQL does."""

        IDENTIFIERS = ["`"]  # noqa: RUF012


def render(node: exp.Expr) -> str:
    """Return a rewritten statement as SQLite's SQL."""
    return node.sql(Backticks, identify=True, comments=False, unsupported_level=ErrorLevel.IGNORE)


def only(node: exp.Expr, *clauses: str) -> None:
    """Refuse a statement with other clauses than these."""
    extra = [key for key, value in node.args.items() if value and key not in clauses]
    if extra:
        raise refuse(f"{node.key.upper()} with {extra[0].rstrip('_').upper()}")


def base_table(node: exp.Expr, catalog: Catalog) -> Columns:
    """Return a table's columns, after leaving out the database's name; fault if there is no such table."""
    if node.text("db") and node.text("db").lower() != catalog.database:
        raise SqlFault(1049, f"Unknown database '{node.text('db')}'")
    node.set("db", None)
    return [(column.name, column.type) for column in catalog.table(node.name).columns]


def query(node: exp.Expr, catalog: Catalog, outer: Scope | None = None) -> Columns:
    """Rewrite a SELECT in place; return its columns' names and types."""
    if isinstance(node, exp.Subquery) and not node.alias:
        return query(node.this, catalog, outer)
    if not isinstance(node, exp.Select):
        raise refuse(node.sql("mysql"))
    only(node, *CLAUSES)
    if not node.expressions:
        raise SqlFault(1064, "You have an error in your SQL syntax: SELECT needs something to select")
    scope = Scope(catalog, outer=outer)
    _sources(node, scope)
    _check_groups(node, scope)
    columns = _projections(node, scope)
    if (where := node.args.get("where")) is not None:
        if _has_aggregate([where]):
            raise SqlFault(1111, "Invalid use of group function")
        typed(where.this, scope)
    scope.aliases = {name.lower(): kind for name, kind in columns}  # WHERE does not know them
    if node.args.get("having") is not None:
        typed(node.args["having"].this, scope)
    for each in node.args["group"].expressions if node.args.get("group") else []:
        _not_a_position(each)
        kind = typed(each, scope)
        if not isinstance(each, exp.Column) and kind.collation != "BINARY":
            each.replace(under(each, kind.collation))
    _order_and_limit(node, scope)
    node.set("locks", None)
    return columns


# ------------------------------------------------------------------ tables


def _sources(node: exp.Select, scope: Scope) -> None:
    first = node.args.get("from_")
    if first is None:
        return
    if isinstance(first.this, exp.Table) and first.this.name.upper() == "DUAL":
        node.set("from_", None)
        return
    _source(first.this, scope)
    joins = node.args.get("joins") or []
    for join in joins:
        if join.args.get("using") or join.method or join.side in ("RIGHT", "FULL"):
            raise refuse(f"{join.side or join.method or 'USING'} JOIN")
        _source(join.this, scope)
    for join in joins:
        if join.args.get("on") is not None:
            typed(join.args["on"], scope)


def _source(node: exp.Expr, scope: Scope) -> None:
    if isinstance(node, exp.Subquery):
        scope.add(node.alias, query(node.this, scope.catalog, scope.outer))
        scope.derived.add(node.alias)
    elif isinstance(node, exp.Table):
        only(node, "this", "db", "alias")
        scope.add(node.alias or node.name, base_table(node, scope.catalog))
    else:
        raise refuse(node.sql("mysql"))


def _subquery(node: exp.Expr, scope: Scope) -> SqlType:
    """Rewrite a query inside an expression; its type is that of its first column."""
    inner = node.this if isinstance(node, exp.Exists | exp.Subquery) else node
    if isinstance(node, exp.Subquery) and not isinstance(node.parent, exp.In) and not _has_one_row(inner):
        raise refuse("a query in place of a value, without an aggregate or LIMIT 1")
    if isinstance(node.parent, exp.In) and inner.args.get("limit") is not None:
        raise refuse("LIMIT & IN/ALL/ANY/SOME subquery")
    columns = query(inner, scope.catalog, scope)
    return BIGINT if isinstance(node, exp.Exists) else columns[0][1]


HANDLERS |= dict.fromkeys((exp.Exists, exp.Subquery, exp.Select), _subquery)


def _has_one_row(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Select):
        return False
    limit = node.args.get("limit")
    if limit is not None and isinstance(limit.expression, exp.Placeholder):
        raise NeedsText
    if limit is not None and limit.expression.name == "1":
        return True
    return node.args.get("group") is None and (node.args.get("from_") is None or _has_aggregate(node.expressions))


# ------------------------------------------------------------------ groups


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
    named = {each.alias: each.this for each in node.expressions if isinstance(each, exp.Alias)}
    for each in group.expressions if group else []:
        each.replace(named.get(each.sql(), each).copy())
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


# ----------------------------------------------------------------- columns


def _projections(node: exp.Select, scope: Scope) -> Columns:
    columns: Columns = []
    for at, item in enumerate(list(node.expressions)):
        if isinstance(item, exp.Star) or (isinstance(item.this, exp.Star) and isinstance(item, exp.Column)):
            columns += _star(item, scope)
        else:
            columns.append(_projection(item, scope))
            rewritten, collation = node.expressions[at].unalias(), columns[-1][1].collation
            if node.args.get("distinct") and collation != "BINARY" and not is_own_column(rewritten):
                rewritten.replace(under(rewritten, collation))
    return columns


def _star(item: exp.Expr, scope: Scope) -> Columns:
    item.set("db", None)
    table = item.text("table")
    if table and table not in scope.shown:
        raise SqlFault(1051, f"Unknown table '{table}'")
    return [pair for name, columns in scope.shown.items() if not table or table == name for pair in columns]


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
    elif kind.name == "decimal" and isinstance(column, exp.Placeholder | exp.Literal | exp.Neg):
        column.replace(exact(column))
    return name, kind


def _order_and_limit(node: exp.Expr, scope: Scope) -> None:
    for item in node.args["order"].expressions if node.args.get("order") else []:
        _not_a_position(item.this)
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


def _not_a_position(node: exp.Expr) -> None:
    """Ask for the text where a number names a column by its position."""
    if isinstance(node, exp.Placeholder):
        raise NeedsText
