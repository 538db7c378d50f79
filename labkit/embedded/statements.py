"""Statements: a text parsed and translated once; the translation is kept, and run again with other values."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import SqlglotError

from labkit.embedded import writes
from labkit.embedded.expressions import NeedsText, place
from labkit.embedded.information import is_information
from labkit.embedded.queries import Plan, query, render
from labkit.embedded.schema import Catalog
from labkit.embedded.values import SqlFault, Stored, refuse

__all__ = ["LONG", "Planner", "is_planned", "parse"]

COMMENT = r"/\*.*?\*/|--\s[^\n]*\n"
PLANNED = re.compile(rf"(?:[\s(]|{COMMENT})*(select|insert|update|delete|with)\b", re.IGNORECASE | re.DOTALL)
OTHER_VERBS = {"ANALYZE", "CALL", "CHECK", "CHECKSUM", "DO", "EXECUTE", "HANDLER", "HELP", "LOCK", "OPTIMIZE",
               "PREPARE", "REPAIR", "RESET", "RESIGNAL", "SIGNAL", "TABLE", "UNLOCK", "VALUES", "XA"}  # fmt: skip
ADJACENT = re.compile(r":s\d+\s+:s\d")  # 'a' 'b' is one text
AFTER_SELECTED = {TokenType.FROM, TokenType.WHERE, TokenType.UNION, TokenType.ORDER_BY, TokenType.LIMIT,
                  TokenType.FOR}  # fmt: skip
KEPT = 1000  # translations
LONG = 5_000  # characters; a longer statement is hardly sent again with the same shape
# It looks at each letter once: a pattern that goes back would hold up every client of a long statement.
LITERAL = re.compile(
    r"""
    (?P<keep>`(?:[^`]++|``)*+`|/\*.*?(?:\*/|\Z)|--[ \t][^\n]*|\#[^\n]*|\b[bB]'[01]*+'
        |\b(?:NOW|CURRENT_TIMESTAMP|UTC_TIMESTAMP|SYSDATE)\([0-6]\))
  | (?P<hex>\b[xX]'[0-9a-fA-F]*'|\b0x[0-9a-fA-F]+\b)
  | (?P<text>(?:\b(?P<introducer>_binary|_utf8mb4|_utf8)\s*|\b[nN](?='))?
        (?:'(?:[^'\\]++|\\.|'')*+'|"(?:[^"\\]++|\\.|"")*+"))
  | (?P<open>['"`].*)
  | (?P<number>(?<![\w$@.`])(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w$]))
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}
ESCAPED = re.compile(r"\\(.)|''|\"\"", re.DOTALL)


def is_planned(sql: str) -> bool:
    """Return True if a statement reads or writes rows, and so has a plan."""
    return PLANNED.match(sql) is not None


# ---------------------------------------------------------------- literals


def split(sql: str) -> tuple[str, dict[str, Stored]]:
    """
    Return the statement with a named place for each value, and the values.

    A place's first letter tells its kind: `i` integer, `d` decimal, `f` float, `s` text, `x` bytes.
    A decimal comes twice, as a float and, its name ending in `t`, as the exact text.
    """
    values: dict[str, Stored] = {}

    def put_place(found: re.Match[str]) -> str:
        if found["keep"] is not None or found["open"] is not None:
            return found[0]
        kind, value = _value(found)
        name = f"{kind}{len(values)}"
        values[name] = value
        if kind == "d":
            values[name], values[f"{name}t"] = float(str(value)), value
        return f":{name}"

    return LITERAL.sub(put_place, sql), values


def _value(found: re.Match[str]) -> tuple[str, Stored]:
    if found["hex"] is not None:
        digits = found["hex"][2:].rstrip("'")
        return "x", bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
    if (number := found["number"]) is not None:
        if number.isdigit() and int(number) < 2**63:
            return "i", int(number)
        return ("f", float(number)) if "e" in number.lower() else ("d", number)
    quoted = found["text"]
    quote = quoted[-1]
    text = _unescape(quoted[quoted.index(quote) + 1 : -1], quote)
    return ("x", text.encode("utf-8", "surrogateescape")) if found["introducer"] == "_binary" else ("s", text)


def _unescape(text: str, quote: str) -> str:
    if "\\" not in text and quote not in text:
        return text
    return ESCAPED.sub(lambda m: ESCAPES.get(m[1], m[1]) if m[1] else (quote if m[0] == quote * 2 else m[0]), text)


# ----------------------------------------------------------------- parsing


def parse(sql: str) -> exp.Expr:
    """Parse one MySQL statement; raise MySQL's syntax error where it can't be."""
    if "/*!" in sql:
        raise refuse("/*! … */")
    try:
        found = [node for node in MySQL().parse(sql) if node is not None]
    except SqlglotError as error:
        if (verb := sql.split(maxsplit=1)[0].upper()) in OTHER_VERBS:
            raise refuse(verb) from None
        errors = getattr(error, "errors", None) or [{}]
        near = str(errors[0].get("highlight") or "") + str(errors[0].get("end_context") or "")
        raise _syntax_error(near or sql) from None
    if not found:
        raise SqlFault(1065, "Query was empty")
    if len(found) > 1:
        raise refuse("several statements at once")
    if isinstance(found[0], exp.Command):
        raise refuse(sql)
    if isinstance(found[0], exp.Alias | exp.Column):
        raise _syntax_error(sql)
    return found[0]


def _syntax_error(near: str) -> SqlFault:
    text = "You have an error in your SQL syntax; check the manual for the right syntax to use near"
    hint = "(or it is right, and labkit's embedded server doesn't know it: use the provider local or containers)"
    return SqlFault(1064, f"{text} '{near[:80]}' {hint}")


def _note_names(node: exp.Expr, sql: str) -> None:
    """Note at each selected expression the text by which MySQL names its column."""
    while isinstance(node, exp.Subquery):
        node = node.this
    names = _selected_texts(sql)
    if len(names) == len(node.expressions):
        for item, name in zip(node.expressions, names, strict=True):
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
    while len(piece) > 1 and piece[0].token_type is TokenType.PLUS:
        piece = piece[1:]  # +3 is called 3
    return sql[piece[0].start : piece[-1].end + 1]


# ---------------------------------------------------------------- planning


class Planner:
    """Make plans, and keep those used last for all connections of one server. Any thread may ask."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._kept = lru_cache(KEPT)(self._make)

    def plan(self, sql: str, *, count_found: bool) -> tuple[Plan, dict[str, Any]]:
        """Return the statement's plan, made now or kept from before, and the values of its literals."""
        make = self._kept if len(sql) <= LONG else self._make
        shape, values = split(sql)
        try:
            plan = None if ADJACENT.search(shape) else make(shape, count_found, self._catalog.version)
            if plan is not None:
                return plan, values
        except SqlFault as fault:
            if fault.number != 1064:
                raise
            # Said again of the text that the client sent; it may even be right, as 'a' 'b' is.
        plan = make(sql, count_found, self._catalog.version)
        if plan is None:
            raise refuse(sql)
        return plan, {}

    def _make(self, sql: str, count_found: bool, version: int) -> Plan | None:
        """Return a plan, which holds for this version of the catalog, or None if the values are needed for it."""
        try:
            return self._translate(sql, count_found)
        except NeedsText:
            return None
        except RecursionError:
            raise refuse("a statement nested as deeply as this one") from None

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
        sleep = _take_sleep(node)
        locks = [lock for select in node.find_all(exp.Select) for lock in select.args.get("locks") or []]
        if any(lock.args.get("wait") is not None or lock.expressions for lock in locks):
            raise refuse("FOR UPDATE with OF, NOWAIT or SKIP LOCKED")
        _note_names(node, sql)
        columns = tuple(query(node, self._catalog))
        reads = frozenset(table.name for table in node.find_all(exp.Table))
        return Plan(render(node), columns, locks=bool(locks), reads=reads, sleep=sleep)


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
    slept = place("slept")
    call.replace(exp.alias_(slept, call.sql("mysql"), quoted=True) if call.parent is node else slept)
    return argument
