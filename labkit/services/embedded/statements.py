"""Statements: MySQL's text parsed, translated and planned; the plan is kept by the statement's shape."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import SqlglotError

from labkit.services.embedded import writes
from labkit.services.embedded.catalog import Catalog
from labkit.services.embedded.faults import SqlFault, refuse
from labkit.services.embedded.information import is_information
from labkit.services.embedded.literals import split
from labkit.services.embedded.plans import Plan, PlanCache, render
from labkit.services.embedded.queries import query
from labkit.services.embedded.rewriting import NeedsText

__all__ = ["Planner", "is_planned", "parse"]

PLANNED = re.compile(
    r"(?:[\s(]|/\*.*?\*/|--\s[^\n]*\n)*(select|insert|update|delete|with)\b", re.IGNORECASE | re.DOTALL
)
OTHER_VERBS = {"ANALYZE", "CALL", "CHECK", "CHECKSUM", "DO", "EXECUTE", "HANDLER", "HELP", "LOCK", "OPTIMIZE",
               "PREPARE", "REPAIR", "RESET", "RESIGNAL", "SIGNAL", "TABLE", "UNLOCK", "VALUES", "XA"}  # fmt: skip
ADJACENT = re.compile(r":s\d+\s+:s\d")  # 'a' 'b' is one text
AFTER_SELECTED = {
    TokenType.FROM,
    TokenType.WHERE,
    TokenType.UNION,
    TokenType.ORDER_BY,
    TokenType.LIMIT,
    TokenType.FOR,
}
LONGEST_KEPT = 20_000  # a longer statement is hardly sent again with the same shape


def is_planned(sql: str) -> bool:
    """Tell whether a statement reads or writes rows, and so has a plan."""
    return PLANNED.match(sql) is not None


def parse(sql: str) -> exp.Expr:
    """Parse one MySQL statement; raise MySQL's syntax error where it can't be."""
    if "/*!" in sql:
        raise refuse("/*! … */")
    try:
        found = [node for node in MySQL().parse(sql) if node is not None]
    except SqlglotError as error:
        if (verb := sql.split(maxsplit=1)[0].upper()) in OTHER_VERBS:
            raise refuse(verb) from None
        raise _syntax_error(_near(error) or sql) from None
    if not found:
        raise SqlFault(1065, "Query was empty")
    if len(found) > 1:
        raise refuse("several statements at once")
    if isinstance(found[0], exp.Command):
        raise refuse(sql[:80])
    if isinstance(found[0], exp.Alias | exp.Column):
        raise _syntax_error(sql)
    return found[0]


def _near(error: SqlglotError) -> str:
    errors = getattr(error, "errors", None) or [{}]
    return str(errors[0].get("highlight") or "") + str(errors[0].get("end_context") or "")


def _syntax_error(near: str) -> SqlFault:
    text = "You have an error in your SQL syntax; check the manual for the right syntax to use near"
    hint = "(or it is right, and labkit's embedded server doesn't know it: use the provider local or containers)"
    return SqlFault(1064, f"{text} '{near[:80]}' {hint}")


class Planner:
    """Make plans, and keep those used last for all connections of one server."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._kept = PlanCache()

    def plan(self, sql: str, *, count_found: bool) -> tuple[Plan, dict[str, Any]]:
        """Return the statement's plan, made now or kept from before, and the values of its literals."""
        shape, values = split(sql)
        version = self._catalog.version
        if (plan := self._kept.get((shape, count_found), version)) is not None:
            return plan, values
        if (plan := self._kept.get((sql, count_found), version)) is not None:
            return plan, {}
        key, plan, values = self._make(sql, shape, values, count_found)
        plan = replace(plan, version=version)
        if len(key) <= LONGEST_KEPT:
            self._kept.put((key, count_found), plan)
        return plan, values

    def _make(
        self, sql: str, shape: str, values: dict[str, Any], count_found: bool
    ) -> tuple[str, Plan, dict[str, Any]]:
        try:
            if ADJACENT.search(shape):
                raise NeedsText
            return shape, self._translate(shape, count_found), values
        except NeedsText:
            pass
        except SqlFault as fault:
            if fault.number != 1064:
                raise
            # Said again of the text that the client sent; it may even be right, as 'a' 'b' is.
        try:
            return sql, self._translate(sql, count_found), {}
        except NeedsText:
            raise refuse(sql[:80]) from None

    def _translate(self, sql: str, count_found: bool) -> Plan:
        node = parse(sql)
        if isinstance(node, exp.Insert):
            return writes.insert(node, self._catalog)
        if isinstance(node, exp.Update):
            return writes.update(node, self._catalog, count_found=count_found)
        if isinstance(node, exp.Delete):
            return writes.delete(node, self._catalog)
        if is_information(node):
            return Plan("", information=node)
        return self._translate_query(node, sql)

    def _translate_query(self, node: exp.Expr, sql: str) -> Plan:
        sleep = _take_sleep(node)
        locks = [lock for select in node.find_all(exp.Select) for lock in select.args.get("locks") or []]
        if any(lock.args.get("wait") is not None or lock.expressions for lock in locks):
            raise refuse("FOR UPDATE with OF, NOWAIT or SKIP LOCKED")
        _note_names(node, sql)
        columns = tuple(query(node, self._catalog))
        reads = frozenset(table.name for table in node.find_all(exp.Table))
        return Plan(render(node), columns, locks=bool(locks), reads=reads, sleep=sleep)


def _note_names(node: exp.Expr, sql: str) -> None:
    """Note at each selected expression the text by which MySQL names its column."""
    first = node
    while isinstance(first, exp.Union | exp.Subquery):
        first = first.this
    names = _selected_texts(sql)
    for item, name in zip(first.expressions, names if len(names) == len(first.expressions) else [], strict=False):
        item.meta["written"] = name


def _selected_texts(sql: str) -> list[str]:
    tokens = MySQL().tokenize(sql)
    begin = next(i for i, token in enumerate(tokens) if token.token_type is TokenType.SELECT) + 1
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[begin:]:
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth < 0 or (depth == 0 and token.token_type in AFTER_SELECTED):
            break
        if depth == 0 and token.token_type is TokenType.COMMA:
            pieces.append([])
        elif pieces != [[]] or token.token_type not in (TokenType.DISTINCT, TokenType.ALL):
            pieces[-1].append(token)
    return [_name(piece, sql) for piece in pieces if piece]


def _name(piece: list[Token], sql: str) -> str:
    if all(token.token_type is TokenType.STRING for token in piece):
        return piece[0].text  # 'a' 'b' is called a
    return sql[piece[0].start : piece[-1].end + 1]


def _take_sleep(node: exp.Expr) -> exp.Expr | None:
    """Put a place where SLEEP() stands, and return its argument: the server sleeps, not SQLite."""
    calls = [call for call in node.find_all(exp.Anonymous) if call.name.upper() == "SLEEP"]
    if not calls:
        return None
    if node.args.get("from_") is not None or len(calls) > 1 or len(calls[0].expressions) != 1:
        raise refuse("SLEEP in a query that reads a table, or twice")
    [call] = calls
    argument: exp.Expr = call.expressions[0]
    if isinstance(argument, exp.Placeholder):
        raise NeedsText  # the column is named by its text
    slept = exp.Placeholder(this="slept")
    call.replace(exp.alias_(slept, call.sql("mysql"), quoted=True) if call.parent is node else slept)
    return argument
