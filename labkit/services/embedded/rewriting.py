"""Rewriting: each kind of expression has a handler that tells its MySQL type and turns it into SQLite's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from labkit.services.embedded.faults import refuse
from labkit.services.embedded.sqltypes import SqlType

if TYPE_CHECKING:
    from labkit.services.embedded.queries import Scope

__all__ = ["Handler", "NeedsText", "call", "children", "exact", "handles", "is_own_column", "typed", "under"]

Handler = Callable[[exp.Expr, "Scope"], SqlType]
_handlers: dict[type[exp.Expr], Handler] = {}


class NeedsText(Exception):
    """The statement's meaning hangs on a literal, so it can't be translated without its values."""


def handles(*kinds: type[exp.Expr]) -> Callable[[Handler], Handler]:
    """Register a handler for these kinds of expression."""

    def register(handler: Handler) -> Handler:
        _handlers.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def typed(node: exp.Expr, scope: Scope) -> SqlType:
    """Return the MySQL type of `node`, after rewriting it in place for SQLite; refuse what isn't known to agree."""
    handler = _handlers.get(type(node))
    if handler is None:
        raise refuse(node.sql("mysql")[:80])
    return handler(node, scope)


def children(node: exp.Expr, scope: Scope) -> list[SqlType]:
    """Rewrite all parts of an expression and return their types."""
    return [typed(child, scope) for child in list(node.iter_expressions())]


def call(name: str, *arguments: exp.Expr | str) -> exp.Expr:
    """Return a call of one of our own SQLite functions; a `str` is a text literal."""
    given = [exp.Literal.string(a) if isinstance(a, str) else a for a in arguments]
    return exp.Anonymous(this=name, expressions=given)


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
    """Tell whether `node` is a table's own column, whose collation SQLite knows."""
    node = node.unnest()
    return isinstance(node, exp.Column) and "computed" not in node.meta


def under(node: exp.Expr, collation: str) -> exp.Expr:
    """Return `node` compared under a collation."""
    return exp.Collate(this=exp.Paren(this=node.copy()), expression=exp.Var(this=collation))
