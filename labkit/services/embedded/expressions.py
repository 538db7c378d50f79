"""Values in expressions: columns, literals, texts, and what the session knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.rewriting import NeedsText, call, children, handles, typed
from labkit.services.embedded.sqltypes import BIGINT, BLOB, DECIMAL, DOUBLE, FLOATS, NULL, TEXT, SqlType

if TYPE_CHECKING:
    from labkit.services.embedded.queries import Scope

__all__ = ["session_value"]

ANY = SqlType("any")  # known only by the value
DATE = SqlType("date")
PLACES = {"i": BIGINT, "d": DECIMAL, "f": DOUBLE, "s": TEXT, "x": BLOB}
SESSION_VALUES = {
    "CONNECTION_ID": BIGINT,
    "LAST_INSERT_ID": BIGINT,
    "DATABASE": TEXT,
    "VERSION": TEXT,
    "USER": TEXT,
    "CURRENT_USER": TEXT,
    "CURDATE": DATE,
}
KNOWN: dict[type[exp.Expr], str] = {
    exp.CurrentUser: "CURRENT_USER",
    exp.SessionUser: "USER",
    exp.CurrentSchema: "DATABASE",
    exp.CurrentDatabase: "DATABASE",
    exp.CurrentDate: "CURDATE",
    exp.CurrentVersion: "VERSION",
}


def session_value(name: str) -> exp.Expr:
    """Return the place of a value that the session knows: its id, its user, the time."""
    return exp.Placeholder(this=name.lower())


@handles(exp.Column)
def column(node: exp.Expr, scope: Scope) -> SqlType:
    """Find the column."""
    assert isinstance(node, exp.Column)
    return scope.column(node)


@handles(exp.Placeholder)
def place(node: exp.Expr, scope: Scope) -> SqlType:
    """Tell a literal's type by its place's first letter."""
    if not node.name:
        raise SqlFault(1064, "You have an error in your SQL syntax near '?'")
    if node.name[1:].removesuffix("t").isdigit():
        return PLACES[node.name[0]]
    return SESSION_VALUES.get(node.name.upper(), ANY)


@handles(exp.Literal)
def literal(node: exp.Expr, scope: Scope) -> SqlType:
    """Tell a literal's type by how it is written."""
    if node.args.get("is_string"):
        return TEXT
    return BIGINT if node.name.isdigit() else DOUBLE if "e" in node.name.lower() else DECIMAL


@handles(exp.Null)
def null(node: exp.Expr, scope: Scope) -> SqlType:
    """NULL has every type."""
    return NULL


@handles(exp.Boolean)
def boolean(node: exp.Expr, scope: Scope) -> SqlType:
    """TRUE is 1."""
    return BIGINT


@handles(exp.HexString)
def hexadecimal(node: exp.Expr, scope: Scope) -> SqlType:
    """X'AF' is bytes."""
    return BLOB


@handles(exp.Alias, exp.Paren, exp.Ordered)
def inner(node: exp.Expr, scope: Scope) -> SqlType:
    """Look inside."""
    return typed(node.this, scope)


@handles(exp.Lower, exp.Upper, exp.Concat)
def text(node: exp.Expr, scope: Scope) -> SqlType:
    """Take texts, and numbers that SQLite writes as MySQL does."""
    if any(k.name in FLOATS or k.family not in ("text", "number", "null") for k in children(node, scope)):
        raise refuse(f"{node.key.upper()} of something that is no text")
    return TEXT


@handles(exp.Length)
def length(node: exp.Expr, scope: Scope) -> SqlType:
    """LENGTH() counts bytes, CHAR_LENGTH() letters."""
    if typed(node.this, scope).name in FLOATS:
        raise refuse("LENGTH of a float")
    node.replace(call("octets" if node.args.get("binary") else "char_length", node.this.copy()))
    return BIGINT


@handles(exp.CurrentTimestamp, exp.UtcTimestamp)
def now(node: exp.Expr, scope: Scope) -> SqlType:
    """Take the time from the session, so that a statement has one."""
    return _now(node, node.this)


def _now(node: exp.Expr, digits: exp.Expr | None) -> SqlType:
    if isinstance(digits, exp.Placeholder):
        raise NeedsText
    scale = int(digits.name) if digits is not None else 0
    node.replace(session_value(f"now_{scale}"))
    return SqlType("datetime", (scale,)) if scale else SqlType("datetime")


@handles(*KNOWN)
def known(node: exp.Expr, scope: Scope) -> SqlType:
    """Take from the session what it knows."""
    name = KNOWN[type(node)]
    node.replace(session_value(name))
    return SESSION_VALUES[name]


@handles(exp.Anonymous)
def function(node: exp.Expr, scope: Scope) -> SqlType:
    """Handle the functions that sqlglot has no class for."""
    name = node.name.upper()
    if name in ("NOW", "SYSDATE"):
        return _now(node, node.expressions[0] if node.expressions else None)
    if name in SESSION_VALUES and not node.expressions:
        node.replace(session_value(name))
        return SESSION_VALUES[name]
    raise refuse(f"{name}()")


@handles(exp.Uuid)
def uuid(node: exp.Expr, scope: Scope) -> SqlType:
    """Make a new one for each row."""
    node.replace(call("uuid"))
    return TEXT


@handles(exp.SessionParameter)
def variable(node: exp.Expr, scope: Scope) -> SqlType:
    """Read a system variable; `@@global.` ones are those that a new session has."""
    node.replace(session_value(f"var_{node.name}"))
    return ANY


@handles(exp.Exists, exp.Subquery, exp.Select, exp.Union)
def subquery(node: exp.Expr, scope: Scope) -> SqlType:
    """Rewrite the query inside."""
    return scope.subquery(node)
