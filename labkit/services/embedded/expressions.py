"""Expressions: each is given its MySQL type and rewritten so that SQLite computes what MySQL would, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.sqltypes import (
    BIGINT,
    BLOB,
    DECIMAL,
    DOUBLE,
    FLOATS,
    INTEGERS,
    NULL,
    TEXT,
    SqlType,
)

if TYPE_CHECKING:
    from labkit.services.embedded.queries import Scope

__all__ = ["NeedsText", "call", "exact", "typed", "under"]


class NeedsText(Exception):
    """The statement's meaning hangs on a literal, so it can't be translated without its values."""


Handler = Callable[[exp.Expression, "Scope"], SqlType]

ANY = SqlType("any")  # known only by the value
DATE = SqlType("date")
JSON = SqlType("json")
PLACES = {"i": BIGINT, "d": DECIMAL, "f": DOUBLE, "s": TEXT, "x": BLOB}
SESSION_VALUES = {
    "CONNECTION_ID": BIGINT,
    "LAST_INSERT_ID": BIGINT,
    "ROW_COUNT": BIGINT,
    "DATABASE": TEXT,
    "SCHEMA": TEXT,
    "VERSION": TEXT,
    "USER": TEXT,
    "CURRENT_USER": TEXT,
    "SESSION_USER": TEXT,
    "CURDATE": DATE,
    "NOW": SqlType("datetime"),
    "SYSDATE": SqlType("datetime"),
    "UTC_TIMESTAMP": SqlType("datetime"),
}


def typed(node: exp.Expression, scope: Scope) -> SqlType:
    """Return the MySQL type of `node`, after rewriting it in place for SQLite; refuse what isn't known to agree."""
    handler = HANDLERS.get(type(node))
    if handler is None:
        raise refuse(node.sql("mysql")[:80])
    return handler(node, scope)


def call(name: str, *arguments: exp.Expression | str) -> exp.Expression:
    """Return a call of one of our own SQLite functions; a `str` is a text literal."""
    return exp.Anonymous(
        this=name, expressions=[exp.Literal.string(a) if isinstance(a, str) else a for a in arguments]
    )


def exact(node: exp.Expression) -> exp.Expression:
    """Return a decimal literal as the text it was, instead of the nearest float."""
    if isinstance(node, exp.Placeholder) and node.name.startswith("d"):
        return exp.Placeholder(this=f"{node.name.removesuffix('t')}t")
    if isinstance(node, exp.Neg):
        return call("arithmetic", "-", exp.Literal.number(0), exact(node.this.copy()))
    return node.copy()


def session_value(name: str) -> exp.Expression:
    """Return the place of a value that the session knows: its id, its user, the time."""
    return exp.Placeholder(this=name.lower())


def _children(node: exp.Expression, scope: Scope) -> list[SqlType]:
    return [typed(child, scope) for child in list(node.iter_expressions())]


def _column(node: exp.Expression, scope: Scope) -> SqlType:
    assert isinstance(node, exp.Column)
    return scope.column(node)


def _place(node: exp.Expression, scope: Scope) -> SqlType:
    if not node.name:
        raise SqlFault(1064, "You have an error in your SQL syntax near '?'")
    if node.name[1:].removesuffix("t").isdigit():
        return PLACES[node.name[0]]
    return SESSION_VALUES.get(node.name.upper(), ANY)


def _literal(node: exp.Expression, scope: Scope) -> SqlType:
    if node.args.get("is_string"):
        return TEXT
    return BIGINT if node.name.isdigit() else DOUBLE if "e" in node.name.lower() else DECIMAL


def _same(node: exp.Expression, scope: Scope) -> SqlType:
    return typed(node.this, scope)


def _truth(node: exp.Expression, scope: Scope) -> SqlType:
    _children(node, scope)
    return BIGINT


def _comparison(node: exp.Expression, scope: Scope) -> SqlType:
    kinds = _children(node, scope)
    _comparable(kinds)
    sides = (
        [node.this, node.args["low"], node.args["high"]]
        if isinstance(node, exp.Between)
        else ([node.this, *node.expressions] if isinstance(node, exp.In) else [node.this, node.expression])
    )
    compare_as(sides, kinds)
    return BIGINT


def _comparable(kinds: list[SqlType]) -> None:
    """Refuse comparisons that MySQL makes by a conversion that SQLite doesn't know."""
    families = {k.family for k in kinds} - {"null", "any"}
    if "json" in families or (len(families) > 1 and families not in ({"moment", "text"}, {"time", "text"})):
        raise refuse(f"comparing {' with '.join(sorted(families))}")


def compare_as(sides: list[exp.Expression], kinds: list[SqlType]) -> None:
    """Make SQLite compare these as MySQL does: exact numbers exactly, and text by MySQL's collation."""
    if any(k.name == "decimal" for k in kinds):
        _compare_exactly(sides, kinds)
        return
    if any(_is_column(side) or isinstance(side.unnest(), exp.Collate) for side in sides):
        return
    collation = next((k.collation for k in kinds if k.collation not in ("BINARY", "ci")), "ci")
    if any(k.collation != "BINARY" for k in kinds):
        sides[0].replace(under(sides[0], collation))


def _compare_exactly(sides: list[exp.Expression], kinds: list[SqlType]) -> None:
    floats = any(k.name in FLOATS for k in kinds)
    for side, kind in zip(sides, kinds, strict=True):
        if floats:
            side.replace(call("as_double", side.copy()))
        elif kind.name != "decimal" or not _is_column(side):
            side.replace(under(call("as_decimal", exact(side)), "decimal"))


def _is_column(node: exp.Expression) -> bool:
    """Tell whether `node` is a table's own column, whose collation SQLite knows."""
    node = node.unnest()
    return isinstance(node, exp.Column) and "computed" not in node.meta


def under(node: exp.Expression, collation: str) -> exp.Expression:
    """Return `node` compared under a collation."""
    return exp.Collate(this=exp.Paren(this=node.copy()), expression=exp.Var(this=collation))


def _explicit_collation(node: exp.Expression, scope: Scope) -> SqlType:
    name = node.expression.name.lower()
    kind = typed(node.this, scope)
    if not name.endswith(("_bin", "_ci")):
        raise refuse(f"COLLATE {name}")
    node.set("expression", exp.Var(this="BINARY" if name.endswith("_bin") else "ci"))
    return SqlType(kind.name, kind.arguments, kind.unsigned, name.endswith("_bin"))


def _like(node: exp.Expression, scope: Scope) -> SqlType:
    kind = typed(node.this, scope)
    typed(node.expression, scope)
    if not kind.is_text:
        raise refuse(f"LIKE on {kind.name}")
    matched = call("like_binary" if kind.binary else "like", node.expression.copy(), node.this.copy())
    node.replace(exp.Not(this=matched) if node.args.get("negate") else matched)
    return BIGINT


def _arithmetic(node: exp.Expression, scope: Scope) -> SqlType:
    left, right = _children(node, scope)
    for kind in (left, right):
        if kind.family not in ("number", "null"):
            raise refuse(f"arithmetic with {kind.name}")
    sign = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}.get(type(node))
    if {left.name, right.name} & FLOATS:
        return DOUBLE
    if sign is None and "decimal" in (left.name, right.name):
        raise refuse("% or DIV with DECIMAL")
    if sign == "/" or "decimal" in (left.name, right.name):
        node.replace(call("arithmetic", str(sign), exact(node.this), exact(node.expression)))
        return DECIMAL
    return BIGINT


def _count(node: exp.Expression, scope: Scope) -> SqlType:
    if not isinstance(node.this, exp.Star):
        inner = node.this.expressions if isinstance(node.this, exp.Distinct) else [node.this]
        if len(inner) != 1:
            raise refuse("COUNT(DISTINCT) of several columns")
        for child in inner:
            typed(child, scope)
    return BIGINT


def _total(node: exp.Expression, scope: Scope) -> SqlType:
    inner = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
    kind = typed(inner, scope)
    if kind.name in FLOATS:
        return DOUBLE
    if kind.family not in ("number", "null"):
        raise refuse(f"SUM or AVG of {kind.name}")
    if isinstance(node.this, exp.Distinct):
        raise refuse("SUM(DISTINCT) or AVG(DISTINCT)")
    node.replace(call("exact_sum" if isinstance(node, exp.Sum) else "exact_avg", node.this.copy()))
    return DECIMAL


def _extreme(node: exp.Expression, scope: Scope) -> SqlType:
    if node.expressions:
        raise refuse(node.key.upper())
    kind = typed(node.this, scope)
    if not _is_column(node.this) and kind.collation != "BINARY":
        node.this.replace(under(node.this, kind.collation))
    return kind


def _negative(node: exp.Expression, scope: Scope) -> SqlType:
    kind = typed(node.this, scope)
    if kind.family not in ("number", "null") or (
        kind.name == "decimal" and not isinstance(node.this, exp.Placeholder)
    ):
        raise refuse(f"{node.key.upper()} of {kind.name}")
    return kind


def _first(node: exp.Expression, scope: Scope) -> SqlType:
    """Type COALESCE, IF, CASE and their like by their first arm that isn't NULL; decimals win over integers."""
    conditions = 1 if isinstance(node, exp.If) else 0
    kinds = [k for k in _children(node, scope)[conditions:] if k is not NULL]
    if isinstance(node, exp.Nullif):
        return kinds[0] if kinds else NULL
    widest = [k for k in kinds if k.name == "decimal" or k.name in FLOATS]
    return widest[0] if widest and all(_numeric(k) for k in kinds) else kinds[0] if kinds else NULL


def _numeric(kind: SqlType) -> bool:
    return kind.family == "number"


def _case(node: exp.Expression, scope: Scope) -> SqlType:
    if node.this is not None:
        raise refuse("CASE with a value")
    arms = [arm for arm in node.args["ifs"]]
    for arm in arms:
        typed(arm.this, scope)
    results = [typed(arm.args["true"], scope) for arm in arms]
    if node.args.get("default") is not None:
        results.append(typed(node.args["default"], scope))
    return next((k for k in results if k is not NULL), NULL)


def _text(node: exp.Expression, scope: Scope) -> SqlType:
    kinds = _children(node, scope)
    if any(k.name in FLOATS or k.name in ("longblob", "json") for k in kinds):
        raise refuse(f"{node.key.upper()} of a number, JSON or bytes")
    return TEXT


def _length(node: exp.Expression, scope: Scope) -> SqlType:
    typed(node.this, scope)
    node.replace(call("octets" if node.args.get("binary") else "char_length", node.this.copy()))
    return BIGINT


def _cast(node: exp.Expression, scope: Scope) -> SqlType:
    inner, wanted = typed(node.this, scope), node.args["to"].this
    if wanted in (exp.DType.BIGINT, exp.DType.INT) and _numeric(inner) and inner.name in INTEGERS:
        return BIGINT
    if wanted in (exp.DType.CHAR, exp.DType.VARCHAR, exp.DType.TEXT) and inner.name not in FLOATS | {"longblob"}:
        if node.args["to"].expressions:
            raise refuse("CAST to CHAR of a given length")
        node.set("to", exp.DataType(this=exp.DType.TEXT))
        return TEXT
    raise refuse(node.sql("mysql"))


def _now(node: exp.Expression, scope: Scope) -> SqlType:
    return _moment_now(node, node.this)


def _moment_now(node: exp.Expression, digits: exp.Expression | None) -> SqlType:
    if isinstance(digits, exp.Placeholder):
        raise NeedsText
    scale = int(digits.name) if digits is not None else 0
    node.replace(session_value(f"now_{scale}"))
    return SqlType("datetime", (scale,)) if scale else SqlType("datetime")


def _function(node: exp.Expression, scope: Scope) -> SqlType:
    """Handle the functions that sqlglot has no class for."""
    name = node.name.upper()
    if name in ("NOW", "SYSDATE"):
        return _moment_now(node, node.expressions[0] if node.expressions else None)
    if name in SESSION_VALUES and not node.expressions:
        node.replace(session_value(name))
        return SESSION_VALUES[name]
    if name == "UUID" and not node.expressions:
        return TEXT
    raise SqlFault(
        1305,
        f"FUNCTION lab.{name} does not exist, or not in labkit's embedded server; "
        "use the provider local or containers",
    )


def _known(node: exp.Expression, scope: Scope) -> SqlType:
    """Handle the session functions that sqlglot has a class for."""
    name = {
        exp.CurrentUser: "CURRENT_USER",
        exp.SessionUser: "USER",
        exp.CurrentSchema: "DATABASE",
        exp.CurrentDate: "CURDATE",
        exp.CurrentVersion: "VERSION",
        exp.CurrentDatabase: "DATABASE",
    }[type(node)]
    node.replace(session_value(name))
    return SESSION_VALUES[name]


def _uuid(node: exp.Expression, scope: Scope) -> SqlType:
    node.replace(call("uuid"))
    return TEXT


def _variable(node: exp.Expression, scope: Scope) -> SqlType:
    node.replace(session_value(f"var_{node.name}"))
    return ANY


def _json_part(node: exp.Expression, scope: Scope) -> SqlType:
    if typed(node.this, scope).name != "json":
        raise refuse("JSON_EXTRACT of something that is no JSON column")
    return JSON if isinstance(node, exp.JSONExtract) else TEXT


def _subquery(node: exp.Expression, scope: Scope) -> SqlType:
    return scope.subquery(node)


HANDLERS: dict[type[exp.Expression], Handler] = {
    exp.Column: _column, exp.Placeholder: _place, exp.Literal: _literal, exp.Null: lambda n, s: NULL,
    exp.Boolean: lambda n, s: BIGINT, exp.HexString: lambda n, s: BLOB, exp.Alias: _same, exp.Paren: _same,
    exp.Neg: _negative, exp.Ordered: _same, exp.Min: _extreme, exp.Max: _extreme, exp.Abs: _negative,
    exp.Not: _truth, exp.And: _truth, exp.Or: _truth, exp.Is: _truth,
    exp.EQ: _comparison, exp.NEQ: _comparison, exp.GT: _comparison, exp.GTE: _comparison, exp.LT: _comparison,
    exp.LTE: _comparison, exp.NullSafeEQ: _comparison, exp.In: _comparison, exp.Between: _comparison,
    exp.Like: _like, exp.Collate: _explicit_collation,
    exp.Add: _arithmetic, exp.Sub: _arithmetic, exp.Mul: _arithmetic, exp.Div: _arithmetic, exp.Mod: _arithmetic,
    exp.Count: _count, exp.Sum: _total, exp.Avg: _total, exp.Coalesce: _first, exp.If: _first, exp.Nullif: _first,
    exp.Case: _case, exp.Lower: _text, exp.Upper: _text, exp.Concat: _text, exp.Length: _length, exp.Cast: _cast,
    exp.CurrentTimestamp: _now, exp.UtcTimestamp: _now, exp.Anonymous: _function, exp.CurrentUser: _known,
    exp.SessionUser: _known, exp.CurrentSchema: _known, exp.CurrentDate: _known, exp.CurrentVersion: _known,
    exp.CurrentDatabase: _known, exp.Uuid: _uuid, exp.SessionParameter: _variable, exp.JSONExtract: _json_part,
    exp.JSONExtractScalar: _json_part, exp.Exists: _subquery, exp.Subquery: _subquery, exp.Select: _subquery,
    exp.Union: _subquery,
}  # fmt: skip
