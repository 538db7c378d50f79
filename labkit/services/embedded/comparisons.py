"""Comparisons, rewritten so that SQLite decides them as MySQL does: text by collation, exact numbers exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from labkit.services.embedded.faults import refuse
from labkit.services.embedded.rewriting import (
    NeedsText,
    call,
    children,
    exact,
    handles,
    is_own_column,
    typed,
    under,
)
from labkit.services.embedded.sqltypes import BIGINT, FLOATS, SqlType

if TYPE_CHECKING:
    from labkit.services.embedded.queries import Scope

__all__: list[str] = []

ALIKE = ({"moment", "text"}, {"time", "text"})


@handles(exp.Not, exp.And, exp.Or, exp.Is)
def truth(node: exp.Expr, scope: Scope) -> SqlType:
    """Leave what both decide alike."""
    children(node, scope)
    return BIGINT


@handles(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.In, exp.Between)
def comparison(node: exp.Expr, scope: Scope) -> SqlType:
    """Compare under one type and one collation."""
    kinds = children(node, scope)
    sides = _sides(node)
    families = {k.family for k in kinds} - {"null", "any"}
    if families == {"number", "text"}:
        _compare_as_numbers(sides, kinds)
    elif "json" in families or (len(families) > 1 and families not in ALIKE):
        raise refuse(f"comparing {' with '.join(sorted(families))}")
    elif any(k.name == "decimal" for k in kinds):
        _compare_exactly(sides, kinds)
    elif not any(is_own_column(side) or isinstance(side.unnest(), exp.Collate) for side in sides):
        if "text" in families and not any(side.find(exp.Column, exp.Query, exp.Collate) for side in sides):
            raise refuse("comparing two texts, none of them a column's, under the collation of the connection")
        _collate(sides, kinds)
    return BIGINT


def _sides(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    if isinstance(node, exp.In):
        return [node.this, *([node.args["query"]] if node.args.get("query") else node.expressions)]
    return [node.this, node.expression]


def _compare_as_numbers(sides: list[exp.Expr], kinds: list[SqlType]) -> None:
    """Take a text literal for the integer it spells; other texts, which MySQL reads as numbers too, are refused."""
    for side, kind in zip(sides, kinds, strict=True):
        if kind.family == "text" and isinstance(side, exp.Placeholder):
            raise NeedsText
        if kind.family == "text" and not (isinstance(side, exp.Literal) and side.name.removeprefix("-").isdigit()):
            raise refuse("comparing a number with a text")
        if kind.family == "text":
            side.replace(exp.Literal.number(side.name))


def _compare_exactly(sides: list[exp.Expr], kinds: list[SqlType]) -> None:
    if any(isinstance(side, exp.Subquery) for side in sides[1:]) and not all(k.name == "decimal" for k in kinds):
        raise refuse("comparing a DECIMAL with a query of another type")
    floats = any(k.name in FLOATS for k in kinds)
    for side, kind in zip(sides, kinds, strict=True):
        if isinstance(side, exp.Subquery):
            continue
        if floats:
            side.replace(call("as_double", side.copy()))
        elif kind.name != "decimal" or not is_own_column(side):
            side.replace(under(call("as_decimal", exact(side)), "decimal"))


def _collate(sides: list[exp.Expr], kinds: list[SqlType]) -> None:
    collation = next((k.collation for k in kinds if k.collation not in ("BINARY", "ci")), "ci")
    if any(k.collation != "BINARY" for k in kinds):
        sides[0].replace(under(sides[0], collation))


@handles(exp.Collate)
def collate(node: exp.Expr, scope: Scope) -> SqlType:
    """Compare by letters' codes for `…_bin`, else without case and accents."""
    name = node.expression.name.lower()
    kind = typed(node.this, scope)
    if not name.endswith(("_bin", "_ci")):
        raise refuse(f"COLLATE {name}")
    node.set("expression", exp.Var(this="BINARY" if name.endswith("_bin") else "ci"))
    return SqlType(kind.name, kind.arguments, kind.unsigned, name.endswith("_bin"))


@handles(exp.Like)
def like(node: exp.Expr, scope: Scope) -> SqlType:
    """Match with our own function: SQLite's LIKE folds only ASCII and has no escape of its own."""
    kind = typed(node.this, scope)
    typed(node.expression, scope)
    if not kind.is_text:
        raise refuse(f"LIKE on {kind.name}")
    matched = call("like_binary" if kind.binary else "like", node.expression.copy(), node.this.copy())
    node.replace(exp.Not(this=matched) if node.args.get("negate") else matched)
    return BIGINT
