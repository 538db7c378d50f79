"""Calculations, rewritten so that integers and decimals stay exact and NULL, CASE and IF have MySQL's types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from labkit.services.embedded.faults import refuse
from labkit.services.embedded.rewriting import call, children, exact, handles, is_own_column, typed, under
from labkit.services.embedded.sqltypes import BIGINT, DECIMAL, DOUBLE, FLOATS, INTEGERS, NULL, SqlType

if TYPE_CHECKING:
    from labkit.services.embedded.queries import Scope

__all__: list[str] = []

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@handles(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
def arithmetic(node: exp.Expr, scope: Scope) -> SqlType:
    """Calculate with integers and floats as SQLite does, with decimals, and in every division, exactly."""
    kinds = children(node, scope)
    for kind in kinds:
        if kind.family not in ("number", "null"):
            raise refuse(f"arithmetic with {kind.name}")
    names = {k.name for k in kinds}
    sign = SIGNS.get(node.key)
    if names & FLOATS:
        return DOUBLE
    if sign is None and "decimal" in names:
        raise refuse("% with DECIMAL")
    if sign == "/" or "decimal" in names:
        node.replace(call("arithmetic", str(sign), exact(node.this), exact(node.expression)))
        return DECIMAL
    node.replace(call("whole", node.copy()))
    return BIGINT


@handles(exp.Neg, exp.Abs)
def negative(node: exp.Expr, scope: Scope) -> SqlType:
    """Leave integers and floats; refuse decimals that are no literals."""
    kind = typed(node.this, scope)
    literal = isinstance(node.this, exp.Placeholder | exp.Literal)
    if kind.family not in ("number", "null") or (kind.name == "decimal" and not literal):
        raise refuse(f"{node.key.upper()} of {kind.name}")
    return kind


@handles(exp.Count)
def count(node: exp.Expr, scope: Scope) -> SqlType:
    """Count rows, or different values of one column."""
    if not isinstance(node.this, exp.Star):
        counted = node.this.expressions if isinstance(node.this, exp.Distinct) else [node.this]
        if len(counted) != 1 or node.expressions:
            raise refuse("COUNT of several columns")
        typed(counted[0], scope)
    return BIGINT


@handles(exp.Sum, exp.Avg)
def total(node: exp.Expr, scope: Scope) -> SqlType:
    """Add up integers and decimals exactly: MySQL gives a DECIMAL."""
    if isinstance(node.this, exp.Distinct):
        raise refuse("SUM(DISTINCT) or AVG(DISTINCT)")
    kind = typed(node.this, scope)
    if kind.name in FLOATS:
        return DOUBLE
    if kind.family not in ("number", "null"):
        raise refuse(f"{node.key.upper()} of {kind.name}")
    node.replace(call("exact_sum" if isinstance(node, exp.Sum) else "exact_avg", exact(node.this)))
    return DECIMAL


@handles(exp.Min, exp.Max)
def extreme(node: exp.Expr, scope: Scope) -> SqlType:
    """Compare under the value's own collation."""
    if node.expressions:
        raise refuse(node.key.upper())
    kind = typed(node.this, scope)
    if not is_own_column(node.this) and kind.collation != "BINARY":
        node.this.replace(under(node.this, kind.collation))
    return kind


@handles(exp.Coalesce, exp.If)
def first(node: exp.Expr, scope: Scope) -> SqlType:
    """Give all arms one type."""
    return _one_type(node, children(node, scope)[isinstance(node, exp.If) :])


@handles(exp.Nullif)
def nullif(node: exp.Expr, scope: Scope) -> SqlType:
    """Refuse all but integers and floats: equality of texts and decimals is not SQLite's."""
    kinds = children(node, scope)
    if any(k.name not in INTEGERS and k.name not in FLOATS for k in kinds):
        raise refuse(node.sql("mysql"))
    return kinds[0]


@handles(exp.Case)
def case(node: exp.Expr, scope: Scope) -> SqlType:
    """Give all arms one type."""
    if node.this is not None:
        raise refuse("CASE with a value")
    arms = node.args["ifs"]
    for arm in arms:
        typed(arm.this, scope)
    results = [arm.args["true"] for arm in arms] + ([node.args["default"]] if node.args.get("default") else [])
    return _one_type(node, [typed(result, scope) for result in results])


def _one_type(node: exp.Expr, arms: list[SqlType]) -> SqlType:
    kinds = [k for k in arms if k is not NULL]
    is_mixed = any(k.family == "moment" for k in kinds) and len({k.name for k in kinds}) > 1
    if len({k.family for k in kinds}) > 1 or is_mixed:
        raise refuse(f"{node.key.upper()} of different types")
    widest = [k for k in kinds if k.name in FLOATS] or [k for k in kinds if k.name == "decimal"]
    return (widest or kinds or [NULL])[0]


@handles(exp.Cast)
def cast(node: exp.Expr, scope: Scope) -> SqlType:
    """Allow the casts on which both agree: integers to integers, and anything exact to text."""
    inner, wanted = typed(node.this, scope), node.args["to"]
    if wanted.this in (exp.DType.BIGINT, exp.DType.INT) and inner.name in INTEGERS:
        return BIGINT
    texts = (exp.DType.CHAR, exp.DType.VARCHAR, exp.DType.TEXT)
    if (
        wanted.this in texts
        and not wanted.expressions
        and inner.family in ("text", "number")
        and inner.name not in FLOATS
    ):
        node.set("to", exp.DataType(this=exp.DType.TEXT))
        return SqlType("varchar", (65_535,))
    raise refuse(node.sql("mysql"))
