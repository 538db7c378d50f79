"""Rows: a model's columns read without a session, turned into objects, and into text for the cache."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from zlib import crc32

from sqlalchemy import Column, Integer, Select, bindparam, inspect, select
from sqlalchemy.orm import make_transient_to_detached

from labkit.engine.keys import columns_of
from labkit.engine.models import Base, UTCDateTime

__all__ = ["Values", "dump", "is_cacheable", "layout_of", "load", "restore", "select_by", "select_columns"]

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
    """
    Return True if the rows of `model` may be cached.

    Every column is stored, and survives JSON; the primary key is made of integers, which have one spelling only; no
    other model inherits from it, or it from another.
    """
    columns = columns_of(model).values()
    if len(list(inspect(model).base_mapper.self_and_descendants)) > 1:
        return False
    if not all(isinstance(each, Column) for each in columns):
        return False
    if not all(isinstance(each.type, Integer) for each in columns if each.primary_key):
        return False
    return all(isinstance(each.type, UTCDateTime) or each.type.python_type in PLAIN_TYPES for each in columns)


@cache
def layout_of(model: type[Base]) -> str:
    """Return a short text that differs for models that write their rows differently."""
    columns = [(name, column.name, repr(column.type)) for name, column in columns_of(model).items()]
    return f"{crc32(repr(columns).encode()):08x}"


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
