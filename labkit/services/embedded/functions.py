"""Functions and collations that SQLite is given, so that it compares, adds up and matches as MySQL does."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any

from labkit.services.embedded.sqltypes import EXACT

__all__ = ["install"]

# The order of MySQL's utf8mb4_0900_ai_ci, as WEIGHT_STRING() shows it. Other symbols stand before `$`, other
# letters behind `z`, each by their number in Unicode.
ORDER = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789aæbcdðđefghħiıjklłmnŋoøœpqrstŧuvwxyzþ"  # noqa: RUF001
IGNORED = dict.fromkeys([*range(1, 9), *range(14, 32), *range(127, 133), *range(134, 160), 173])
AFTER_PUNCTUATION, AFTER_SYMBOLS, AFTER_LETTERS = 0x100, 0x200_000, 0x200_100


def install(db: sqlite3.Connection) -> None:
    """Give one SQLite connection the collations, functions and aggregates that translated SQL relies on."""
    for name, key in (("ci", sort_key), ("moment", moment), ("decimal", number), ("duration", duration)):
        db.create_collation(name, _comparing(key))
    for name, arity, function in (
        ("like", 2, like),
        ("like_binary", 2, like_binary),
        ("arithmetic", 3, arithmetic),
        ("lower", 1, lambda text: None if text is None else letter_by_letter(str.lower, str(text))),
        ("upper", 1, lambda text: None if text is None else letter_by_letter(str.upper, str(text))),
        ("octets", 1, octets),
        ("whole", 1, whole),
        ("as_decimal", 1, lambda value: None if value is None else f"{number(str(value)):f}"),
        ("as_double", 1, lambda value: None if value is None else float(value)),
        (
            "char_length",
            1,
            lambda value: None if value is None else len(value if isinstance(value, bytes) else str(value)),
        ),
    ):
        db.create_function(name, arity, function, deterministic=True)
    db.create_function("uuid", 0, lambda: str(uuid.uuid1()))
    db.create_aggregate("one_spelling", 1, OneSpelling)
    db.create_aggregate("exact_sum", 1, ExactSum)  # type: ignore[arg-type]
    db.create_aggregate("exact_avg", 1, ExactAverage)  # type: ignore[arg-type]


def _comparing(key: Callable[[str], Any]) -> Callable[[str, str], int]:
    def compare(left: str, right: str) -> int:
        a, b = key(left), key(right)
        return int(a > b) - int(a < b)

    return compare


@lru_cache(maxsize=8192)
def sort_key(text: str) -> tuple[int, ...]:
    """Return what MySQL's default collation, utf8mb4_0900_ai_ci, compares: letters without case and accents."""
    return tuple(map(_weight, fold(text)))


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Return a text without case and accents, and without what the collation ignores."""
    if text.isascii():
        return text.lower().translate(IGNORED)
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().translate(IGNORED)


@cache
def _weight(letter: str) -> int:
    if (place := ORDER.find(letter)) >= 0:
        return place if place < ORDER.index("$") else place + AFTER_SYMBOLS
    return ord(letter) + (AFTER_LETTERS if unicodedata.category(letter).startswith("L") else AFTER_PUNCTUATION)


def moment(text: str) -> str:
    """Return a date or datetime at full length: a date is its midnight."""
    if len(text) == 10:
        text += " 00:00:00"
    return text.replace("T", " ") + (".000000" if len(text) == 19 else "").ljust(max(0, 26 - len(text)), "0")


def number(text: str) -> Decimal:
    """Return the number that a text stands for, 0 for none, as MySQL compares text to a DECIMAL."""
    try:
        return Decimal(text)
    except InvalidOperation:
        found = re.match(r"\s*[+-]?\d+(\.\d*)?", text)
        return Decimal(found[0]) if found else Decimal(0)


def duration(text: str) -> Decimal:
    """Return a TIME in seconds."""
    sign = -1 if text.startswith("-") else 1
    total = Decimal(0)
    for part in text.lstrip("-").split(":"):
        total = total * 60 + number(part)
    return sign * total


@lru_cache(maxsize=512)
def _pattern(pattern: str, folded: bool) -> re.Pattern[str]:
    parts, letters = [], iter(pattern)
    for letter in letters:
        if letter == "\\":
            letter = next(letters, "\\")
            parts.append(re.escape(_folded(letter) if folded else letter))
        else:
            parts.append({"%": ".*", "_": "."}.get(letter) or re.escape(_folded(letter) if folded else letter))
    return re.compile("".join(parts), re.DOTALL)


def _folded(text: str) -> str:
    """Fold letter by letter, so that `_` still means one of them."""
    return (
        text.lower() if text.isascii() else "".join((fold(c) or c)[:1] for c in unicodedata.normalize("NFC", text))
    )


def like(pattern: Any, value: Any) -> int | None:
    r"""Tell whether `value` is LIKE `pattern`, without case and accents; `\` takes the meaning from `%` and `_`."""
    if pattern is None or value is None:
        return None
    return int(_pattern(str(pattern), True).fullmatch(_folded(str(value))) is not None)


def like_binary(pattern: Any, value: Any) -> int | None:
    """Tell whether `value` is LIKE `pattern`, letter for letter."""
    if pattern is None or value is None:
        return None
    return int(_pattern(str(pattern), False).fullmatch(str(value)) is not None)


def letter_by_letter(change: Callable[[str], str], text: str) -> str:
    """Return a text in which each letter is changed that becomes one other letter: MySQL leaves ß as it is."""
    changed = map(change, text)
    return "".join(new if len(new) == 1 else old for old, new in zip(text, changed, strict=True))


def whole(value: Any) -> Any:
    """Return an integer; one that is too large for SQLite has become a float."""
    if isinstance(value, float):
        raise ValueError("BIGINT value is out of range")
    return value


def octets(value: Any) -> int | None:
    """Return LENGTH(): bytes, not letters."""
    if value is None:
        return None
    return len(value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape"))


def arithmetic(sign: str, left: Any, right: Any) -> str | None:
    """Add, subtract, multiply or divide exactly, as MySQL does with DECIMAL; NULL for a division by zero."""
    if left is None or right is None:
        return None
    a, b = number(str(left)), number(str(right))
    if sign == "/":
        return f"{_scaled(EXACT.divide(a, b), _scale(a) + 4):f}" if b else None
    work = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply}[sign]
    return f"{work(a, b):f}"


def _scale(value: Decimal) -> int:
    return max(0, -int(value.as_tuple().exponent))


def _scaled(value: Decimal, scale: int) -> Decimal:
    return EXACT.quantize(value, Decimal(1).scaleb(-scale))


class OneSpelling:
    """The text by which rows are grouped: not known if they write it in different ways."""

    def __init__(self) -> None:
        self.value: Any = None
        self.several = False

    def step(self, value: Any) -> None:
        """Take one row's value."""
        self.several |= self.value not in (None, value)
        self.value = value

    def finalize(self) -> Any:
        """Return the value."""
        if self.several:
            raise ValueError("which spelling MySQL shows is not known")
        return self.value


class ExactSum:
    """SUM() of integers and decimals: exact, and NULL over no rows."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.count = 0

    def step(self, value: Any) -> None:
        """Take one row's value."""
        if value is not None:
            self.total = EXACT.add(self.total, number(str(value)))
            self.count += 1

    def finalize(self) -> str | None:
        """Return the sum as text, which keeps it exact."""
        return f"{self.total:f}" if self.count else None


class ExactAverage(ExactSum):
    """AVG() of integers and decimals: four more digits than its values have."""

    def finalize(self) -> str | None:
        """Return the average as text, which keeps it exact."""
        return f"{_scaled(EXACT.divide(self.total, self.count), _scale(self.total) + 4):f}" if self.count else None
