"""Results: an answer's rows with the column types by which the client's driver converts them."""

from __future__ import annotations

from typing import Any

from mysql_mimic.charset import CharacterSet
from mysql_mimic.results import ResultColumn, ResultSet
from mysql_mimic.types import ColumnType

from labkit.services.embedded.answers import Rows
from labkit.services.embedded.sqltypes import BLOBS, TEXTS, SqlType

__all__ = ["result_set"]

TYPES = {
    "tinyint": ColumnType.TINY,
    "smallint": ColumnType.SHORT,
    "mediumint": ColumnType.INT24,
    "int": ColumnType.LONG,
    "bigint": ColumnType.LONGLONG,
    "float": ColumnType.FLOAT,
    "double": ColumnType.DOUBLE,
    "decimal": ColumnType.NEWDECIMAL,
    "datetime": ColumnType.DATETIME,
    "timestamp": ColumnType.TIMESTAMP,
    "date": ColumnType.DATE,
    "time": ColumnType.TIME,
    "json": ColumnType.JSON,
    "char": ColumnType.STRING,
    "enum": ColumnType.STRING,
}
GUESSES = {int: ColumnType.LONGLONG, float: ColumnType.DOUBLE, bytes: ColumnType.BLOB}


def result_set(answer: Rows) -> ResultSet:
    """Return the answer as mysql-mimic sends it."""
    columns = [_column(name, kind, answer.rows, at) for at, (name, kind) in enumerate(answer.columns)]
    return ResultSet(rows=answer.rows, columns=columns)


def _column(name: str, kind: SqlType, rows: Any, at: int) -> ResultColumn:
    if kind.name in ("any", "null"):
        wire = GUESSES.get(
            type(next((row[at] for row in rows if row[at] is not None), None)), ColumnType.VAR_STRING
        )
        return _bytes(name) if wire == ColumnType.BLOB else ResultColumn(name, wire)
    if kind.name in BLOBS:
        return _bytes(name)
    if kind.name in TEXTS:
        wire = ColumnType.BLOB if kind.name.endswith("text") else TYPES.get(kind.name, ColumnType.VAR_STRING)
        return ResultColumn(name, wire)
    if kind.name == "float":
        return ResultColumn(name, ColumnType.FLOAT, text_encoder=_six_digits)
    return ResultColumn(name, TYPES[kind.name])


def _six_digits(column: ResultColumn, value: float) -> bytes:
    """Write a FLOAT as MySQL does: it has no more digits than that."""
    return f"{value:.6g}".encode()


def _bytes(name: str) -> ResultColumn:
    column = ResultColumn(name, ColumnType.BLOB, CharacterSet.binary)
    column.codec = "utf-8"  # for a text in such a column; Python has no codec called binary
    return column
