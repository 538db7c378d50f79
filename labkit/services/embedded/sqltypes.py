"""SQL types: what a MySQL column type holds, how SQLite stores it, and which values it takes."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from labkit.services.embedded.faults import SqlFault, refuse

__all__ = ["BIGINT", "BLOB", "DATETIME", "DECIMAL", "DOUBLE", "EXACT", "NULL", "TEXT", "SqlType", "Stored"]

EXACT = Context(prec=100, rounding=ROUND_HALF_UP)
Stored = int | float | str | bytes | None

INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
FLOATS = {"float", "double"}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum"}
BLOBS = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
MOMENTS = {"datetime", "timestamp"}
BYTE_LIMITS = {"tiny": 255, "": 65_535, "medium": 16_777_215, "long": 4_294_967_295}
LONGEST_TIME = timedelta(hours=838, minutes=59, seconds=59)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$")
TIME = re.compile(r"(-?)(\d{1,3}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d*)?)?$")


@dataclass(frozen=True)
class SqlType:
    """Describe a MySQL type: its name, what stands in its brackets, unsigned or not, compared by bytes or not."""

    name: str
    arguments: tuple[Any, ...] = ()
    unsigned: bool = False
    binary: bool = False

    def __str__(self) -> str:
        inside = ",".join(repr(a) if isinstance(a, str) else str(a) for a in self.arguments)
        return self.name + (f"({inside})" if inside else "") + (" unsigned" if self.unsigned else "")

    @property
    def family(self) -> str:
        """Return what values can be compared with: number, text, moment, time, bytes, json, any or null."""
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
    def is_text(self) -> bool:
        """Tell whether values are compared as text, by a collation."""
        return self.name in TEXTS

    @property
    def collation(self) -> str:
        """Return the SQLite collation under which two stored values compare as MySQL compares them."""
        if self.name in TEXTS:
            return "BINARY" if self.binary else "ci"
        if self.name in MOMENTS or self.name == "date":
            return "moment"
        return {"decimal": "decimal", "time": "duration"}.get(self.name, "BINARY")

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

    def store(self, value: Stored, column: str, row: int) -> Stored:
        """Return `value` as this type keeps it; raise MySQL's strict-mode fault when it doesn't fit."""
        if value is None:
            return None
        return self._keep(value, f"column '{column}' at row {row}")

    def _keep(self, value: Any, where: str) -> Stored:
        if self.name in INTEGERS:
            return _integer(self, value, where)
        if self.name in TEXTS:
            return _text(self, value, where)
        if self.name in MOMENTS:
            return _moment(self, value, where)
        if self.name in BLOBS:
            return _blob(self, value, where)
        keep = {"decimal": _decimal, "date": _date, "time": _time, "json": _json}.get(self.name, _double)
        return keep(self, value, where)


BIGINT = SqlType("bigint")
DOUBLE = SqlType("double")
DECIMAL = SqlType("decimal", (65, 30))
TEXT = SqlType("varchar", (65_535,))
BLOB = SqlType("longblob")
DATETIME = SqlType("datetime", (6,))
NULL = SqlType("null")


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _number(value: Any, kind: str, where: str) -> Decimal:
    try:
        number = Decimal(_shown(value).strip())
    except InvalidOperation:
        if kind == "integer" and _shown(value).strip()[:1].isdigit():
            raise SqlFault(1265, f"Data truncated for {where}") from None
        raise SqlFault(1366, f"Incorrect {kind} value: '{_shown(value)}' for {where}") from None
    if not number.is_finite():
        raise SqlFault(1366, f"Incorrect {kind} value: '{_shown(value)}' for {where}")
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
    if number.adjusted() > 66:
        raise SqlFault(1264, f"Out of range value for {where}")
    kept = EXACT.quantize(number, Decimal(1).scaleb(-kind.scale))
    if kept.copy_abs() >= Decimal(10) ** (digits - kind.scale):
        raise SqlFault(1264, f"Out of range value for {where}")
    return f"{kept if kept else kept.copy_abs():f}"


def _text(kind: SqlType, value: Any, where: str) -> Stored:
    text = _shown(value) if not isinstance(value, str) else value
    if kind.name == "enum":
        return _choice(kind, text, where)
    if kind.name == "char":
        text = text.rstrip(" ")
    if kind.name.endswith("text"):
        longest, length = BYTE_LIMITS[kind.name.removesuffix("text")], len(text.encode("utf-8", "surrogatepass"))
    else:
        longest, length = int(kind.arguments[0]) if kind.arguments else 1, len(text)
    if length > longest:
        raise SqlFault(1406, f"Data too long for {where}")
    return text


def _choice(kind: SqlType, text: str, where: str) -> Stored:
    for choice in kind.arguments:
        if choice.casefold() == text.casefold():
            return str(choice)
    raise SqlFault(1265, f"Data truncated for {where}")


def _blob(kind: SqlType, value: Any, where: str) -> Stored:
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    if kind.name.endswith("blob"):
        longest = BYTE_LIMITS[kind.name.removesuffix("blob")]
    else:
        longest = int(kind.arguments[0]) if kind.arguments else 1
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
    if moment.tzinfo is not None:
        raise refuse("a time zone offset inside a datetime")
    step = 10 ** (6 - kind.scale)
    micros = (moment.microsecond + step // 2) // step * step if step > 1 else moment.microsecond
    rounded = moment.replace(microsecond=0) + timedelta(microseconds=micros)
    whole = rounded.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
    return whole if not kind.scale else f"{whole}.{rounded.microsecond:06d}"[: 20 + kind.scale]


def _date(kind: SqlType, value: Any, where: str) -> Stored:
    return date.isoformat(_parsed(value, "date", where).date())


def _time(kind: SqlType, value: Any, where: str) -> Stored:
    found = TIME.match(_shown(value).strip())
    if found is None or int(found[3]) > 59 or int(found[4] or 0) > 59:
        raise SqlFault(1292, f"Incorrect time value: '{_shown(value)}' for {where}")
    if timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0)) > LONGEST_TIME:
        raise SqlFault(1292, f"Incorrect time value: '{_shown(value)}' for {where}")
    fraction = (found[5] or "").ljust(6, "0")
    if fraction[kind.scale :].strip("0"):
        raise refuse("rounding a TIME to fewer digits than it was given")
    whole = f"{found[1]}{int(found[2]):02d}:{int(found[3]):02d}:{int(found[4] or 0):02d}"
    return whole if not kind.scale else f"{whole}.{fraction[: kind.scale]}"


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
