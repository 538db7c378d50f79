"""Functions and collations that SQLite is given, so that it compares, adds up and matches as MySQL does."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any

from labkit.embedded.values import EXACT

__all__ = ["install", "like"]

# The order of MySQL's utf8mb4_0900_ai_ci, as WEIGHT_STRING() shows it. Other symbols stand before `$`, other
# letters behind `z`, each by their number in Unicode.
ORDER = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789aæbcdðđefghħiıjklłmnŋoøœpqrstŧuvwxyzþ"  # noqa: RUF001
IGNORED = dict.fromkeys([*range(1, 9), *range(14, 32), *range(127, 133), *range(134, 160), 173])
AFTER_PUNCTUATION, AFTER_SYMBOLS, AFTER_LETTERS = 0x100, 0x200_000, 0x200_100


def install(db: sqlite3.Connection) -> None:
    """Give one SQLite connection the collations, functions and aggregates that translated SQL relies on."""
    for name, key in (("ci", sort_key), ("moment", _moment), ("decimal", _number)):
        db.create_collation(name, _comparing(key))
    for name, arity, function in (
        ("like", 2, like),
        ("like_binary", 2, lambda pattern, text: like(pattern, text, folded=False)),
        ("arithmetic", 3, _arithmetic),
        ("lower", 1, _unless_null(lambda text: _letter_by_letter(str.lower, str(text)))),
        ("upper", 1, _unless_null(lambda text: _letter_by_letter(str.upper, str(text)))),
        ("octets", 1, _unless_null(lambda value: len(_bytes(value)))),
        ("char_length", 1, _unless_null(lambda value: len(value if isinstance(value, bytes) else str(value)))),
        ("whole", 1, _whole),
        ("as_decimal", 1, _unless_null(lambda value: f"{_number(str(value)):f}")),
        ("as_double", 1, _unless_null(float)),
    ):
        db.create_function(name, arity, function, deterministic=True)
    for name, aggregate in (("one_spelling", OneSpelling), ("exact_sum", ExactSum), ("exact_avg", ExactAverage)):
        db.create_aggregate(name, 1, aggregate)  # type: ignore[arg-type]


def _unless_null(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else function(value)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def _comparing(key: Callable[[str], Any]) -> Callable[[str, str], int]:
    def compare(left: str, right: str) -> int:
        a, b = key(left), key(right)
        return int(a > b) - int(a < b)

    return compare


@lru_cache(maxsize=8192)
def sort_key(text: str) -> tuple[int, ...]:
    """Return what MySQL's default collation, utf8mb4_0900_ai_ci, compares: letters without case and accents."""
    return tuple(map(_weight, _fold(text)))


@lru_cache(maxsize=8192)
def _fold(text: str) -> str:
    if text.isascii():
        return text.lower().translate(IGNORED)
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().translate(IGNORED)


@cache
def _weight(letter: str) -> int:
    if (place := ORDER.find(letter)) >= 0:
        return place if place < ORDER.index("$") else place + AFTER_SYMBOLS
    return ord(letter) + (AFTER_LETTERS if unicodedata.category(letter).startswith("L") else AFTER_PUNCTUATION)


def _moment(text: str) -> str:
    """Return a date or datetime at full length: a date is its midnight."""
    if len(text) == 10:
        text += " 00:00:00"
    return text.replace("T", " ") + (".000000" if len(text) == 19 else "").ljust(max(0, 26 - len(text)), "0")


def _number(text: str) -> Decimal:
    """Return the number that a text stands for, 0 for none, as MySQL compares text to a DECIMAL."""
    try:
        return Decimal(text)
    except InvalidOperation:
        found = re.match(r"\s*[+-]?\d+(\.\d*)?", text)
        return Decimal(found[0]) if found else Decimal(0)


@lru_cache(maxsize=512)
def _pattern(pattern: str, folded: bool) -> list[re.Pattern[str]]:
    """Return what stands between the `%` of a pattern; a single expression with `.*` could take hours."""
    pieces = [""]
    for escaped, letter in re.findall(r"(\\?)(.)", pattern, re.DOTALL):
        if letter == "%" and not escaped:
            pieces.append("")
        elif letter == "_" and not escaped:
            pieces[-1] += "."
        else:
            pieces[-1] += re.escape(_fold_letters(letter) if folded else letter)
    pieces[-1] += r"\Z"
    return [re.compile(piece, re.DOTALL) for piece in pieces]


def _fold_letters(text: str) -> str:
    """Fold letter by letter, so that `_` still means one of them."""
    letters = unicodedata.normalize("NFC", text)
    return text.lower() if text.isascii() else "".join((_fold(c) or c)[:1] for c in letters)


def like(pattern: Any, value: Any, *, folded: bool = True) -> int | None:
    r"""Return 1 if `value` is LIKE `pattern`, without case and accents; `\` takes the meaning from `%` and `_`."""
    if pattern is None or value is None:
        return None
    text = _fold_letters(str(value)) if folded else str(value)
    first, *others = _pattern(str(pattern), folded)
    found = first.match(text)
    for piece in others:
        found = found and piece.search(text, found.end())
    return int(found is not None)


def _letter_by_letter(change: Callable[[str], str], text: str) -> str:
    """Change each letter that becomes one other letter: MySQL leaves ß as it is."""
    return "".join(new if len(new) == 1 else old for old, new in zip(text, map(change, text), strict=True))


def _whole(value: Any) -> Any:
    """Return an integer; one that is too large for SQLite has become a float."""
    if isinstance(value, float):
        raise ValueError("BIGINT value is out of range")
    return value


def _arithmetic(sign: str, left: Any, right: Any) -> str | None:
    """Add, subtract, multiply or divide exactly, as MySQL does with DECIMAL; NULL for a division by zero."""
    if left is None or right is None:
        return None
    a, b = _number(str(left)), _number(str(right))
    if sign == "/":
        return _divide(a, b) if b else None
    return f"{ {'+': EXACT.add, '-': EXACT.subtract, '*': EXACT.multiply}[sign](a, b):f}"


def _divide(a: Decimal, b: Decimal | int) -> str:
    """Divide: four more digits than `a` has."""
    digits = max(0, -int(a.as_tuple().exponent)) + 4
    return f"{EXACT.quantize(EXACT.divide(a, b), Decimal(1).scaleb(-digits)):f}"


class OneSpelling:
    """The text by which rows are grouped: not known if they write it in different ways."""

    def __init__(self) -> None:
        self.found: set[Any] = set()

    def step(self, value: Any) -> None:
        """Take one row's value."""
        self.found.add(value)

    def finalize(self) -> Any:
        """Return the value."""
        if len(self.found) > 1:
            raise ValueError("which spelling MySQL shows is not known")
        return next(iter(self.found), None)


class ExactSum:
    """SUM() of integers and decimals: exact, and NULL over no rows."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.count = 0

    def step(self, value: Any) -> None:
        """Take one row's value."""
        if value is not None:
            self.total = EXACT.add(self.total, _number(str(value)))
            self.count += 1

    def finalize(self) -> str | None:
        """Return the sum as text, which keeps it exact."""
        return f"{self.total:f}" if self.count else None


class ExactAverage(ExactSum):
    """AVG() of integers and decimals."""

    def finalize(self) -> str | None:
        """Return the average as text, which keeps it exact."""
        return _divide(self.total, self.count) if self.count else None
