"""MySQL's types and errors: what a column keeps of a value, and what the server answers when it can't keep it."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

__all__ = ["BIGINT", "BLOB", "BLOBS", "DECIMAL", "DOUBLE", "EXACT", "FLOATS", "INTEGERS", "MOMENTS", "NULL",
           "REFUSED", "TEXT", "TEXTS", "SqlFault", "SqlType", "Stored", "is_binary", "refuse"]  # fmt: skip

REFUSED = 1235
SQLSTATES = {
    "23000": (1048, 1052, 1062, 1451, 1452),
    "42000": (1044, 1049, 1061, 1064, 1065, 1091, 1142, 1231, 1235, 1305),
    "28000": (1045,), "42S01": (1050,), "42S02": (1051, 1146), "42S22": (1054,), "42S21": (1060,), "21S01": (1136,),
    "21000": (1242,), "22003": (1264,), "01000": (1265,), "22007": (1292,), "70100": (1317,), "22001": (1406,),
}  # fmt: skip


class SqlFault(Exception):
    """One MySQL error: its number and its text."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)
        self.number = number
        self.text = text

    @property
    def sqlstate(self) -> str:
        """Return the five characters that go with the number."""
        return next((state for state, numbers in SQLSTATES.items() if self.number in numbers), "HY000")


def refuse(what: str) -> SqlFault:
    """Return the error for SQL that this server would answer otherwise than MySQL."""
    text = f"This version of labkit's embedded server doesn't yet support '{what[:80]}'"
    return SqlFault(REFUSED, f"{text}; use the provider local or containers")


EXACT = Context(prec=100, rounding=ROUND_HALF_UP)
Stored = int | float | str | bytes | None

INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
FLOATS = {"float", "double"}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum"}
BLOBS = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
MOMENTS = {"datetime", "timestamp"}
BYTE_LIMITS = {"tiny": 255, "": 65_535, "medium": 16_777_215, "long": 4_294_967_295}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$")


@dataclass(frozen=True)
class SqlType:
    """A MySQL type: its name, what stands in its brackets, unsigned or not, compared by bytes or not."""

    name: str
    arguments: tuple[Any, ...] = ()
    unsigned: bool = False
    binary: bool = False

    def __str__(self) -> str:
        inside = ",".join(repr(a) if isinstance(a, str) else str(a) for a in self.arguments)
        return self.name + (f"({inside})" if inside else "") + (" unsigned" if self.unsigned else "")

    @property
    def family(self) -> str:
        """Return what values can be compared with: number, text, moment, bytes, json, any or null."""
        if self.name in INTEGERS or self.name in FLOATS or self.name == "decimal":
            return "number"
        if self.name in MOMENTS or self.name == "date":
            return "moment"
        return "text" if self.name in TEXTS else "bytes" if self.name in BLOBS else self.name

    @property
    def largest(self) -> int:
        """Return the largest number that an integer type holds."""
        return int(2 ** (8 * INTEGERS[self.name] - (not self.unsigned)) - 1)

    @property
    def collation(self) -> str:
        """Return the SQLite collation under which two stored values compare as MySQL compares them."""
        if self.family == "text":
            return "BINARY" if self.binary else "ci"
        return "moment" if self.family == "moment" else "decimal" if self.name == "decimal" else "BINARY"

    @property
    def sqlite(self) -> str:
        """Return the column type that SQLite is given."""
        if self.name in INTEGERS:
            return "INTEGER"
        if self.name in FLOATS:
            return "REAL"
        return "BLOB" if self.name in BLOBS else f"TEXT COLLATE {self.collation}"

    @property
    def scale(self) -> int:
        """Return the digits kept after the point, of a decimal or of a second."""
        if self.name == "decimal":
            return int(self.arguments[1]) if len(self.arguments) > 1 else 0
        return int(self.arguments[0]) if self.arguments else 0

    def keep(self, value: Stored, column: str, row: int) -> Stored:
        """Return `value` as this type keeps it; raise the error of MySQL's strict mode when it doesn't fit."""
        if value is None:
            return None
        how = self.name if self.name in KEEPERS else "integer" if self.name in INTEGERS else self.family
        return KEEPERS[how](self, value, f"column '{column}' at row {row}")


BIGINT = SqlType("bigint")
DOUBLE = SqlType("double")
DECIMAL = SqlType("decimal", (65, 30))
TEXT = SqlType("varchar", (65_535,))
BLOB = SqlType("longblob")
NULL = SqlType("null")


def is_binary(collation: str) -> bool:
    """Return True for the collation that compares letters' codes, False for the default; refuse the others."""
    if collation.lower() not in ("utf8mb4_bin", "utf8mb4_0900_ai_ci"):
        raise refuse(f"COLLATE {collation}")
    return collation.lower() == "utf8mb4_bin"


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _number(value: Any, kind: str, where: str) -> Decimal:
    text = _shown(value)
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        if kind == "integer" and text.strip()[:1].isdigit():
            raise SqlFault(1265, f"Data truncated for {where}") from None
        number = Decimal("NaN")
    if not number.is_finite():
        raise SqlFault(1366, f"Incorrect {kind} value: '{text}' for {where}")
    return number


def _integer(kind: SqlType, value: Any, where: str) -> Stored:
    number = value if isinstance(value, int) else int(_number(value, "integer", where).to_integral(ROUND_HALF_UP))
    if not (0 if kind.unsigned else -kind.largest - 1) <= number <= kind.largest:
        raise SqlFault(1264, f"Out of range value for {where}")
    if number >= 2**63:
        raise refuse("integers above 9223372036854775807")
    return number


def _double(kind: SqlType, value: Any, where: str) -> Stored:
    number = float(_number(value, kind.name.upper(), where))
    return number if kind.name == "double" else struct.unpack("f", struct.pack("f", number))[0]


def _decimal(kind: SqlType, value: Any, where: str) -> Stored:
    number = _number(value, "decimal", where)
    digits = int(kind.arguments[0]) if kind.arguments else 10
    if number.adjusted() <= 66:
        kept = EXACT.quantize(number, Decimal(1).scaleb(-kind.scale))
        if kept.copy_abs() < Decimal(10) ** (digits - kind.scale):
            return f"{kept if kept else kept.copy_abs():f}"
    raise SqlFault(1264, f"Out of range value for {where}")


def _text(kind: SqlType, value: Any, where: str) -> Stored:
    text = _shown(value)
    if kind.name == "char":
        text = text.rstrip(" ")
    if kind.name.endswith("text"):
        longest, length = BYTE_LIMITS[kind.name.removesuffix("text")], len(text.encode("utf-8", "surrogatepass"))
    else:
        longest, length = int(kind.arguments[0]) if kind.arguments else 1, len(text)
    if length > longest:
        raise SqlFault(1406, f"Data too long for {where}")
    return text


def _choice(kind: SqlType, value: Any, where: str) -> Stored:
    for choice in kind.arguments:
        if choice.casefold() == _shown(value).casefold():
            return str(choice)
    raise SqlFault(1265, f"Data truncated for {where}")


def _blob(kind: SqlType, value: Any, where: str) -> Stored:
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    by_name = BYTE_LIMITS.get(kind.name.removesuffix("blob"))
    longest = by_name or (int(kind.arguments[0]) if kind.arguments else 1)
    if len(data) > longest:
        raise SqlFault(1406, f"Data too long for {where}")
    return data.ljust(longest, b"\0") if kind.name == "binary" else data


def _parsed(value: Any, kind: str, where: str) -> datetime:
    text = _shown(value).strip()
    if text[:1].isdigit() and not MOMENT.match(text):
        raise refuse(f"a {kind} written as '{text}'")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise SqlFault(1292, f"Incorrect {kind} value: '{_shown(value)}' for {where}") from None


def _moment(kind: SqlType, value: Any, where: str) -> Stored:
    moment = _parsed(value, "datetime", where)
    step = 10 ** (6 - kind.scale)
    micros = (moment.microsecond + step // 2) // step * step if step > 1 else moment.microsecond
    rounded = moment.replace(microsecond=0) + timedelta(microseconds=micros)
    whole = rounded.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
    return whole if not kind.scale else f"{whole}.{rounded.microsecond:06d}"[: 20 + kind.scale]


def _date(kind: SqlType, value: Any, where: str) -> Stored:
    return date.isoformat(_parsed(value, "date", where).date())


def _json(kind: SqlType, value: Any, where: str) -> Stored:
    try:
        document = json.loads(_shown(value))
    except ValueError:
        raise refuse("storing what is no JSON") from None
    return json.dumps(_ordered(document), ensure_ascii=False)


def _ordered(document: Any) -> Any:
    """Put an object's keys in MySQL's order: the shorter first."""
    if isinstance(document, dict):
        return {k: _ordered(document[k]) for k in sorted(document, key=lambda k: (len(k.encode()), k))}
    return [_ordered(item) for item in document] if isinstance(document, list) else document


KEEPERS: dict[str, Callable[[SqlType, Any, str], Stored]] = {
    "integer": _integer, "float": _double, "double": _double, "decimal": _decimal, "enum": _choice, "text": _text,
    "bytes": _blob, "date": _date, "moment": _moment, "json": _json,
}  # fmt: skip
