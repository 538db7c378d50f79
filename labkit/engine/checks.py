"""Checks made before anything is sent: an object that can't be stored is refused with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ClauseElement, Column, Enum, Integer, SmallInteger, String, inspect
from sqlalchemy.dialects import mysql

from labkit.engine.keys import columns_of, is_text, mapper_of
from labkit.engine.models import Base, UTCDateTime
from labkit.errors import InvalidInput

__all__ = ["check_limit", "check_objects", "check_stored"]

BITS: dict[type, int] = {
    Integer: 31,
    BigInteger: 63,
    SmallInteger: 15,
}  # without the sign; other types are the server's to check


def check_objects(objects: Sequence[object]) -> None:
    """Raise `InvalidInput` unless each of `objects` is a model whose values its columns can hold."""
    if not objects:
        raise InvalidInput("Expected objects to save, got none.", remedy="Give at least one.")
    for each in objects:
        mapper_of(type(each))
        assert isinstance(each, Base)
        _check_values(each)


def _check_values(each: Base) -> None:
    state = inspect(each)
    for name, column in columns_of(type(each)).items():
        if not isinstance(column, Column):
            pass  # a column_property is never written
        elif name in state.dict:
            _check_value(each, name, column, state.dict[name])
        elif not (column.default or column.server_default or state.has_identity or _is_related(each, column)):
            _check_value(each, name, column, None)


def _is_related(each: Base, column: Column[Any]) -> bool:
    # A related object gives its foreign key when it is saved.
    return bool(column.foreign_keys and inspect(each).dict.keys() & inspect(type(each)).relationships.keys())


def _check_value(each: Base, name: str, column: Column[Any], value: object) -> None:
    place = f"{type(each).__name__}.{name}"
    if value is None:
        # The server numbers a primary key, and a default stands in for None in a new row.
        filled = column.primary_key or column.default or column.server_default
        if not column.nullable and not filled:
            raise InvalidInput(f"{place} can't be None.", remedy="Give its value.")
    elif hasattr(value, "__clause_element__") or isinstance(value, ClauseElement):
        pass  # the server works it out
    elif isinstance(column.type, String) and not isinstance(column.type, Enum | mysql.SET):
        _check_text(place, column.type.length, value)
    elif (bits := BITS.get(type(column.type))) is not None:
        if isinstance(value, str | bytes) or (isinstance(value, int) and not -(2**bits) <= value < 2**bits):
            raise InvalidInput(f"{place} holds a number of {bits + 1} bits, got {value!r}.", remedy="Give an int.")
    elif isinstance(column.type, UTCDateTime) and (not isinstance(value, datetime) or value.tzinfo is None):
        found = f"{place} holds a moment with its time zone, got {value!r}."
        raise InvalidInput(found, remedy="Give datetime.now(UTC), for example.")


def _check_text(place: str, longest: int | None, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidInput(f"{place} holds text, got {value!r}.", remedy="Give a str.")
    if longest is not None and len(value) > longest:
        raise InvalidInput(f"{place} holds at most {longest} characters, got {len(value)}.", remedy="Shorten it.")
    if not is_text(value):
        found = f"{place} holds text, got half of a surrogate pair in {value!r}."
        raise InvalidInput(found, remedy="Decode it again, from its bytes.")


def check_stored(instance: object) -> None:
    """Raise `InvalidInput` unless `instance` is a model that came from the database or was saved."""
    mapper_of(type(instance))
    if not inspect(instance).has_identity:
        raise InvalidInput(
            f"Expected a saved object, got {instance!r}, which the database does not know.",
            remedy="Get it first.",
        )


def check_limit(limit: int, most: int) -> None:
    """Raise `InvalidInput` unless `limit` is a number of rows from 1 to `most`."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= most:
        raise InvalidInput(
            f"limit= takes 1 to {most} rows, got {limit!r}.",
            remedy="Get the next page with after=, or raise LABKIT_FIND_LIMIT.",
        )
