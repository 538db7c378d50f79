"""Text that a program gave to its tasks, tables and files, made harmless before it is shown."""

from __future__ import annotations

import re
from html import escape
from unicodedata import east_asian_width

__all__ = ["clip", "markup", "plain", "width"]

NAME = 60  # characters of a name that are shown where room is short
SENTENCE = 1_000  # characters of a sentence
_JOINERS = "\u200c\u200d"  # part of ordinary words and emoji
_TAIL = re.compile(r"\\(?:x[0-9a-f]{0,1}|u[0-9a-f]{0,3}|U[0-9a-f]{0,7})?$")


def plain(text: object, limit: int = SENTENCE) -> str:
    r"""
    Return `text` on one line, with every character that acts instead of being seen written as an escape.

    A terminal obeys control characters, a browser turns a line round at a bidirectional one, and no file holds half
    of a surrogate pair: they become `\x1b`, `\u202e` and `\ud800`. What is longer than `limit` loses its middle.
    """
    words = text if isinstance(text, str) else str(text)
    words = _shorten(words, limit)
    return words if words.isprintable() else "".join(map(_seen, words))


def clip(text: object, limit: int = NAME) -> str:
    """Return `text` as `plain` does, with at most `limit` characters; a `…` stands for what was cut off its end."""
    words = text if isinstance(text, str) else str(text)
    shown = plain(words[: limit + 1], limit + 1)
    return shown if len(shown) <= limit else f"{_TAIL.sub('', shown[: limit - 1])}…"


def markup(text: object, limit: int = SENTENCE) -> str:
    """Return `text` for HTML and SVG, inside an element or an attribute's quotes."""
    return escape(plain(text, limit), quote=True)


def width(text: str) -> int:
    """Return how many columns `text` takes: two for each wide character."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _shorten(words: str, limit: int) -> str:
    if len(words) <= limit:
        return words
    head, tail = limit * 2 // 3, limit // 3
    return f"{words[:head]}… ({len(words) - head - tail} characters left out) …{words[-tail:]}"


def _seen(character: str) -> str:
    if character.isprintable() or character in _JOINERS or character == "\u00a0":
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
