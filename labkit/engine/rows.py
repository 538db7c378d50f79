"""Rows: a model's columns read without a session, turned into objects, and into text for the cache."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, inspect, select
from sqlalchemy.orm import make_transient_to_detached

from labkit.engine.keys import columns_of
from labkit.engine.models import Base, UTCDateTime

__all__ = ["Values", "dump", "is_cacheable", "load", "restore", "select_by", "select_columns"]

M = TypeVar("M", bound=Base)
Values = Sequence[Any]

PLAIN_TYPES = (int, str, float, bool)


@cache
def select_columns(model: type[Base]) -> Select[Any]:
    """Return the statement that reads every column of `model`, and no object."""
    return select(*(getattr(model, name) for name in columns_of(model)))


@cache
def select_by(model: type[Base], names: tuple[str, ...]) -> Select[Any]:
    """Return the statement that finds one row of `model` by parameters called `names`."""
    return select_columns(model).where(*(getattr(model, name) == bindparam(name) for name in names))


def restore(model: type[M], values: Iterable[Any]) -> M:
    """Return the object whose row holds `values`, detached, as if a session had loaded and closed it."""
    instance = model(**dict(zip(columns_of(model), values, strict=True)))
    make_transient_to_detached(instance)
    return instance


@cache
def is_cacheable(model: type[Base]) -> bool:
    """Return True if every column of `model` survives JSON, and no other model has the same table."""
    if len(list(inspect(model).base_mapper.self_and_descendants)) > 1:
        return False
    types = [column.type for column in columns_of(model).values()]
    return all(isinstance(each, UTCDateTime) or each.python_type in PLAIN_TYPES for each in types)


@cache
def _moments(model: type[Base]) -> tuple[int, ...]:
    columns = enumerate(columns_of(model).values())
    return tuple(i for i, column in columns if isinstance(column.type, UTCDateTime))


def dump(values: Sequence[Any]) -> str:
    """Return `values` as JSON, a moment as ISO 8601."""
    return json.dumps(values, default=datetime.isoformat, separators=(",", ":"))


def load(model: type[Base], text: str) -> list[Any]:
    """Return the values that `dump` wrote for a row of `model`."""
    values: list[Any] = json.loads(text)
    for i in _moments(model):
        if values[i] is not None:
            values[i] = datetime.fromisoformat(values[i])
    return values
