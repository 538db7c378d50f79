"""
Expressions: each kind that is known has a handler, which returns its MySQL type and rewrites it for SQLite.

Texts are compared by collation, exact numbers exactly. A kind without a handler is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from labkit.embedded.schema import Catalog
from labkit.embedded.values import (
    BIGINT,
    BLOB,
    DECIMAL,
    DOUBLE,
    FLOATS,
    NULL,
    TEXT,
    SqlFault,
    SqlType,
    is_binary,
    refuse,
)

__all__ = ["HANDLERS", "NeedsText", "Scope", "call", "exact", "is_own_column", "place", "typed", "under"]

ANY = SqlType("any")  # known only by the value
PLACES = {"i": BIGINT, "d": DECIMAL, "f": DOUBLE, "s": TEXT, "x": BLOB}
SESSION_VALUES = {"CONNECTION_ID": BIGINT, "LAST_INSERT_ID": BIGINT, "DATABASE": TEXT, "VERSION": TEXT,
                  "USER": TEXT, "CURRENT_USER": TEXT}  # fmt: skip
KNOWN: dict[type[exp.Expr], str] = {
    exp.CurrentUser: "CURRENT_USER", exp.SessionUser: "USER", exp.CurrentSchema: "DATABASE",
    exp.CurrentDatabase: "DATABASE", exp.CurrentVersion: "VERSION",
}  # fmt: skip
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
CLAUSES = {exp.Where: "where clause", exp.Order: "order clause", exp.Group: "group statement",
           exp.Having: "having clause", exp.Join: "on clause"}  # fmt: skip


class NeedsText(Exception):
    """The statement's meaning hangs on a literal, so it can't be translated without its values."""


@dataclass
class Scope:
    """What names mean at one place of a statement: the tables in sight, their columns, and the aliases."""

    catalog: Catalog
    tables: dict[str, Mapping[str, SqlType]] = field(default_factory=dict)
    aliases: dict[str, SqlType] = field(default_factory=dict)
    outer: Scope | None = None
    derived: set[str] = field(default_factory=set)
    grouped: set[tuple[str, str] | None] = field(default_factory=set)  # columns by which rows are grouped
    shown: dict[str, list[tuple[str, SqlType]]] = field(default_factory=dict)

    def add(self, name: str, columns: list[tuple[str, SqlType]]) -> None:
        """Bring a table into sight under a name."""
        if name in self.tables:
            raise SqlFault(1066, f"Not unique table/alias: '{name}'")
        self.shown[name] = columns
        self.tables[name] = {column.lower(): kind for column, kind in columns}

    def column(self, node: exp.Column) -> SqlType:
        """Return a column's type, and leave out the database's name."""
        node.set("db", None)
        name = node.name.lower()
        if (where := self.place(node)) is not None:
            if where[0] in self.derived:
                node.meta["computed"] = True
            return self.tables[where[0]][name]
        if not node.table and name in self.aliases:
            node.meta["computed"] = True
            return self.aliases[name]
        if self.outer is not None:
            return self.outer.column(node)
        shown = f"{node.table}.{node.name}" if node.table else node.name
        clause = node.find_ancestor(*CLAUSES)
        text = f"Unknown column '{shown}' in '{CLAUSES[type(clause)] if clause else 'field list'}'"
        raise SqlFault(1054, text)

    def place(self, node: exp.Column) -> tuple[str, str] | None:
        """Return the table and the name of a column of these tables, or None."""
        tables = [node.table] if node.table else self.tables
        return next(((t, node.name.lower()) for t in tables if node.name.lower() in self.tables.get(t, ())), None)


Handler = Callable[[Any, Scope], SqlType]


def typed(node: exp.Expr, scope: Scope) -> SqlType:
    """Return the MySQL type of `node`, after rewriting it in place for SQLite; refuse what isn't known to agree."""
    handler = HANDLERS.get(type(node))
    if handler is None:
        raise refuse(node.sql("mysql"))
    return handler(node, scope)


def _parts(node: exp.Expr, scope: Scope) -> list[SqlType]:
    return [typed(child, scope) for child in list(node.iter_expressions())]


def call(name: str, *arguments: exp.Expr | str) -> exp.Expr:
    """Return a call of one of our own SQLite functions; a `str` is a text literal."""
    given = [exp.Literal.string(a) if isinstance(a, str) else a for a in arguments]
    return exp.Anonymous(this=name, expressions=given)


def place(name: str) -> exp.Expr:
    """Return the place of a value that the session knows: its id, its user, the time."""
    return exp.Placeholder(this=name.lower())


def exact(node: exp.Expr) -> exp.Expr:
    """Return a decimal literal as the text it was, instead of the nearest float."""
    if isinstance(node, exp.Placeholder) and node.name.startswith("d") and node.name[1:].rstrip("t").isdigit():
        return exp.Placeholder(this=f"{node.name.rstrip('t')}t")
    if isinstance(node, exp.Literal) and "." in node.name and not node.args.get("is_string"):
        return exp.Literal.string(node.name)
    if isinstance(node, exp.Neg):
        return call("arithmetic", "-", exp.Literal.number(0), exact(node.this))
    return node.copy()


def is_own_column(node: exp.Expr) -> bool:
    """Return True if `node` is a table's own column, whose collation SQLite knows."""
    node = node.unnest()
    return isinstance(node, exp.Column) and "computed" not in node.meta


def under(node: exp.Expr, collation: str) -> exp.Expr:
    """Return `node` compared under a collation."""
    return exp.Collate(this=exp.Paren(this=node.copy()), expression=exp.Var(this=collation))


# ------------------------------------------------------------------ values


def _placeholder(node: exp.Placeholder, scope: Scope) -> SqlType:
    if not node.name:
        raise SqlFault(1064, "You have an error in your SQL syntax near '?'")
    if node.name[1:].removesuffix("t").isdigit():
        return PLACES[node.name[0]]
    return SESSION_VALUES.get(node.name.upper(), ANY)


def _literal(node: exp.Literal, scope: Scope) -> SqlType:
    if node.args.get("is_string"):
        return TEXT
    if node.name.isdigit() and int(node.name) >= 2**63:
        raise refuse("integers above 9223372036854775807")
    return BIGINT if node.name.isdigit() else DOUBLE if "e" in node.name.lower() else DECIMAL


def _text(node: exp.Expr, scope: Scope) -> SqlType:
    if any(k.name in FLOATS or k.family not in ("text", "number", "null") for k in _parts(node, scope)):
        raise refuse(f"{node.key.upper()} of something that is no text")
    return TEXT


def _length(node: exp.Length, scope: Scope) -> SqlType:
    """LENGTH() counts bytes, CHAR_LENGTH() letters."""
    if typed(node.this, scope).name in FLOATS:
        raise refuse("LENGTH of a float")
    node.replace(call("octets" if node.args.get("binary") else "char_length", node.this.copy()))
    return BIGINT


def _now(node: exp.Expr, digits: exp.Expr | None) -> SqlType:
    """Take the time from the session, so that a statement has one."""
    if isinstance(digits, exp.Placeholder):
        raise NeedsText
    scale = int(digits.name) if digits is not None else 0
    node.replace(place(f"now_{scale}"))
    return SqlType("datetime", (scale,)) if scale else SqlType("datetime")


def _known(node: exp.Expr, scope: Scope) -> SqlType:
    name = KNOWN[type(node)]
    node.replace(place(name))
    return SESSION_VALUES[name]


def _function(node: exp.Anonymous, scope: Scope) -> SqlType:
    """Handle the functions that sqlglot has no class for."""
    name = node.name.upper()
    if name in ("NOW", "SYSDATE"):
        return _now(node, node.expressions[0] if node.expressions else None)
    if name not in SESSION_VALUES or node.expressions:
        raise refuse(f"{name}()")
    node.replace(place(name))
    return SESSION_VALUES[name]


def _variable(node: exp.SessionParameter, scope: Scope) -> SqlType:
    """Read a system variable; `@@global.` ones are those that a new session has."""
    node.replace(place(f"var_{node.name}"))
    return ANY


# ------------------------------------------------------------- comparisons


def _truth(node: exp.Expr, scope: Scope) -> SqlType:
    _parts(node, scope)
    return BIGINT


def _comparison(node: exp.Expr, scope: Scope) -> SqlType:
    """Compare under one type and one collation."""
    kinds = _parts(node, scope)
    sides = _sides(node)
    families = {k.family for k in kinds} - {"null", "any"}
    if families == {"number", "text"}:
        _compare_as_numbers(sides, kinds)
    elif "json" in families or (len(families) > 1 and families != {"moment", "text"}):
        raise refuse(f"comparing {' with '.join(sorted(families))}")
    elif any(k.name == "decimal" for k in kinds):
        _compare_exactly(sides, kinds)
    elif not any(is_own_column(side) or isinstance(side.unnest(), exp.Collate) for side in sides):
        if "text" in families and not any(side.find(exp.Column, exp.Query, exp.Collate) for side in sides):
            raise refuse("comparing two texts, none of them a column's, under the collation of the connection")
        if any(k.collation != "BINARY" for k in kinds):
            sides[0].replace(under(sides[0], "moment" if any(k.collation == "moment" for k in kinds) else "ci"))
    return BIGINT


def _sides(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    if isinstance(node, exp.In):
        return [node.this, *([node.args["query"]] if node.args.get("query") else node.expressions)]
    return [node.this, node.expression]


def _compare_as_numbers(sides: list[exp.Expr], kinds: list[SqlType]) -> None:
    """Take a text literal for the integer it spells; other texts, which MySQL reads as numbers too, are refused."""
    for side in (side for side, kind in zip(sides, kinds, strict=True) if kind.family == "text"):
        if isinstance(side, exp.Placeholder):
            raise NeedsText
        if not (isinstance(side, exp.Literal) and side.name.removeprefix("-").isdigit()):
            raise refuse("comparing a number with a text")
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


def _collate(node: exp.Collate, scope: Scope) -> SqlType:
    binary = is_binary(node.expression.name)
    kind = typed(node.this, scope)
    node.set("expression", exp.Var(this="BINARY" if binary else "ci"))
    return SqlType(kind.name, kind.arguments, kind.unsigned, binary)


def _like(node: exp.Like, scope: Scope) -> SqlType:
    """Match with our own function: SQLite's LIKE folds only ASCII and has no escape of its own."""
    kind = typed(node.this, scope)
    typed(node.expression, scope)
    if kind.family != "text":
        raise refuse(f"LIKE on {kind.name}")
    matched = call("like_binary" if kind.binary else "like", node.expression.copy(), node.this.copy())
    node.replace(exp.Not(this=matched) if node.args.get("negate") else matched)
    return BIGINT


# ------------------------------------------------------------ calculations


def _arithmetic(node: exp.Expr, scope: Scope) -> SqlType:
    """Calculate with integers and floats as SQLite does, with decimals, and in every division, exactly."""
    kinds = _parts(node, scope)
    _only_numbers(node, kinds)
    names = {k.name for k in kinds}
    if names & FLOATS:
        return DOUBLE
    if isinstance(node, exp.Mod) and "decimal" in names:
        raise refuse("% with DECIMAL")
    if isinstance(node, exp.Div) or "decimal" in names:
        node.replace(call("arithmetic", SIGNS[node.key], exact(node.this), exact(node.expression)))
        return DECIMAL
    node.replace(call("whole", node.copy()))
    return BIGINT


def _only_numbers(node: exp.Expr, kinds: list[SqlType]) -> None:
    for kind in kinds:
        if kind.family not in ("number", "null"):
            raise refuse(f"{node.key.upper()} of {kind.name}")


def _negative(node: exp.Neg | exp.Abs, scope: Scope) -> SqlType:
    kind = typed(node.this, scope)
    _only_numbers(node, [kind])
    if kind.name == "decimal" and not isinstance(node.this, exp.Placeholder | exp.Literal):
        raise refuse(f"{node.key.upper()} of a DECIMAL")
    return kind


def _count(node: exp.Count, scope: Scope) -> SqlType:
    if not isinstance(node.this, exp.Star):
        counted = node.this.expressions if isinstance(node.this, exp.Distinct) else [node.this]
        if len(counted) != 1 or node.expressions:
            raise refuse("COUNT of several columns")
        typed(counted[0], scope)
    return BIGINT


def _total(node: exp.Sum | exp.Avg, scope: Scope) -> SqlType:
    """Add up integers and decimals exactly: MySQL gives a DECIMAL."""
    if isinstance(node.this, exp.Distinct):
        raise refuse("SUM(DISTINCT) or AVG(DISTINCT)")
    kind = typed(node.this, scope)
    _only_numbers(node, [kind])
    if kind.name in FLOATS:
        return DOUBLE
    node.replace(call("exact_sum" if isinstance(node, exp.Sum) else "exact_avg", exact(node.this)))
    return DECIMAL


def _extreme(node: exp.Min | exp.Max, scope: Scope) -> SqlType:
    """Compare under the value's own collation."""
    if node.expressions:
        raise refuse(node.key.upper())
    kind = typed(node.this, scope)
    if not is_own_column(node.this) and kind.collation != "BINARY":
        node.this.replace(under(node.this, kind.collation))
    return kind


def _case(node: exp.Case, scope: Scope) -> SqlType:
    if node.this is not None:
        raise refuse("CASE with a value")
    for arm in node.args["ifs"]:
        typed(arm.this, scope)
    results = [arm.args["true"] for arm in node.args["ifs"]]
    return _one_type(
        node, [typed(each, scope) for each in (*results, node.args.get("default")) if each is not None]
    )


def _one_type(node: exp.Expr, arms: list[SqlType]) -> SqlType:
    kinds = [k for k in arms if k is not NULL]
    is_mixed = any(k.family == "moment" for k in kinds) and len({k.name for k in kinds}) > 1
    if len({k.family for k in kinds}) > 1 or is_mixed:
        raise refuse(f"{node.key.upper()} of different types")
    widest = [k for k in kinds if k.name in FLOATS] or [k for k in kinds if k.name == "decimal"]
    return (widest or kinds or [NULL])[0]


HANDLERS: dict[type[exp.Expr], Handler] = {
    exp.Column: lambda node, scope: scope.column(node),
    exp.Placeholder: _placeholder, exp.Literal: _literal, exp.Null: lambda node, scope: NULL,
    exp.Boolean: lambda node, scope: BIGINT, exp.HexString: lambda node, scope: BLOB,
    exp.Length: _length, exp.Anonymous: _function, exp.SessionParameter: _variable,
    exp.CurrentTimestamp: lambda node, scope: _now(node, node.this),
    exp.UtcTimestamp: lambda node, scope: _now(node, node.this),
    exp.Collate: _collate, exp.Like: _like, exp.Neg: _negative, exp.Count: _count, exp.Case: _case,
    exp.Coalesce: lambda node, scope: _one_type(node, _parts(node, scope)),
    exp.If: lambda node, scope: _one_type(node, _parts(node, scope)[1:]), exp.Abs: _negative,
    **dict.fromkeys((exp.Alias, exp.Paren, exp.Ordered), lambda node, scope: typed(node.this, scope)),
    **dict.fromkeys((exp.Lower, exp.Upper, exp.Concat), _text), **dict.fromkeys(KNOWN, _known),
    **dict.fromkeys((exp.Not, exp.And, exp.Or, exp.Is), _truth),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.In, exp.Between),
                    _comparison),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
    **dict.fromkeys((exp.Sum, exp.Avg), _total), **dict.fromkeys((exp.Min, exp.Max), _extreme),
}  # fmt: skip
