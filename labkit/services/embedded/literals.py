"""Literals: a statement's text apart from its values, so that its translation can be kept and used again."""

from __future__ import annotations

import re

from labkit.services.embedded.sqltypes import Stored

__all__ = ["split"]

TOKEN = re.compile(
    r"""
    (?P<keep>`(?:[^`]|``)*`|/\*.*?\*/|--[ \t].*?$|\#.*?$
        |\b(?:NOW|CURRENT_TIMESTAMP|UTC_TIMESTAMP|SYSDATE)\([0-6]\))
  | (?P<hex>\b[xX]'[0-9a-fA-F]*'|\b0x[0-9a-fA-F]+\b)
  | (?P<bits>\b[bB]'[01]*')
  | (?P<text>(?:\b(?P<introducer>_binary|_utf8mb4|_utf8)\s*|\b[nN](?='))?
        (?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"))
  | (?P<number>(?<![\w$@.`])(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w$]))
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}
ESCAPED = re.compile(r"\\(.)|''|\"\"", re.DOTALL)


def split(sql: str) -> tuple[str, dict[str, Stored]]:
    """
    Return the statement with a named place for each value, and the values.

    A place's first letter tells its kind: `i` integer, `d` decimal, `f` float, `s` text, `x` bytes.
    A decimal comes twice, as a float and, its name ending in `t`, as the exact text.
    """
    values: dict[str, Stored] = {}

    def place(found: re.Match[str]) -> str:
        if found["keep"] is not None or found["bits"] is not None:
            return found[0]
        kind, value = _value(found)
        name = f"{kind}{len(values)}"
        values[name] = value
        if kind == "d":
            values[name], values[f"{name}t"] = float(str(value)), value
        return f":{name}"

    return TOKEN.sub(place, sql), values


def _value(found: re.Match[str]) -> tuple[str, Stored]:
    if found["hex"] is not None:
        digits = found["hex"][2:].rstrip("'")
        return "x", bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
    if found["number"] is not None:
        return _number(found["number"])
    quoted = found["text"]
    quote = quoted[-1]
    text = _unescape(quoted[quoted.index(quote) + 1 : -1], quote)
    if found["introducer"] == "_binary":
        return "x", text.encode("utf-8", "surrogateescape")
    return "s", text


def _number(text: str) -> tuple[str, Stored]:
    if text.isdigit():
        number = int(text)
        return ("i", number) if number < 2**63 else ("d", text)
    return ("f", float(text)) if "e" in text.lower() else ("d", text)


def _unescape(text: str, quote: str) -> str:
    if "\\" not in text and quote not in text:
        return text
    return ESCAPED.sub(lambda m: ESCAPES.get(m[1], m[1]) if m[1] else (quote if m[0] == quote * 2 else m[0]), text)
