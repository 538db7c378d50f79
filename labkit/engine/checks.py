"""Checks made before anything is sent: an object that can't be stored is refused with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, String, inspect

from labkit.engine.keys import columns_of, mapper_of
from labkit.engine.models import Base
from labkit.errors import InvalidInput

__all__ = ["check_limit", "check_objects", "check_stored"]


def check_objects(objects: Sequence[object]) -> None:
    """Raise `InvalidInput` unless each of `objects` is a model whose values its columns can hold."""
    if not objects:
        raise InvalidInput("Objects to save were wanted, found none.", remedy="Give at least one.")
    for each in objects:
        mapper_of(type(each))
        assert isinstance(each, Base)
        _check_values(each)


def _check_values(each: Base) -> None:
    state = inspect(each)
    for name, column in columns_of(type(each)).items():
        if name in state.dict:
            _check_value(each, name, column, state.dict[name])
        elif not (column.default or column.server_default or state.has_identity or _is_related(each, column)):
            _check_value(each, name, column, None)


def _is_related(each: Base, column: Column[Any]) -> bool:
    # A related object gives its foreign key when it is saved.
    return bool(column.foreign_keys and inspect(each).dict.keys() & inspect(type(each)).relationships.keys())


def _check_value(each: Base, name: str, column: Column[Any], value: object) -> None:
    if value is None:
        # The server numbers a primary key.
        if not column.nullable and not column.primary_key:
            raise InvalidInput(f"{_place(each, name)} can't be None.", remedy="Give its value.")
    elif isinstance(column.type, String):
        if not isinstance(value, str):
            raise InvalidInput(f"{_place(each, name)} holds text, found {value!r}.", remedy="Give a str.")
        longest = column.type.length
        if longest is not None and len(value) > longest:
            found = f"{_place(each, name)} holds at most {longest} characters, found {len(value)}."
            raise InvalidInput(found, remedy="Shorten it.")


def _place(each: Base, name: str) -> str:
    return f"{type(each).__name__}.{name}"


def check_stored(instance: object) -> None:
    """Raise `InvalidInput` unless `instance` is a model that came from the database or was saved."""
    mapper_of(type(instance))
    if not inspect(instance).has_identity:
        raise InvalidInput(
            f"A saved object was wanted, found {instance!r}, which the database does not know.",
            remedy="Get it first.",
        )


def check_limit(limit: int, most: int) -> None:
    """Raise `InvalidInput` unless `limit` is a number of rows from 1 to `most`."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= most:
        raise InvalidInput(
            f"limit= takes 1 to {most} rows, found {limit!r}.",
            remedy="Get the next page with after=, or raise LABKIT_FIND_LIMIT.",
        )
