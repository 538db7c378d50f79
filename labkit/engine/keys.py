"""Keys: the columns by which one row of a model is found, in the database and in the cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import Column, Index, Table, UniqueConstraint, inspect
from sqlalchemy.orm import Mapper

from labkit.engine.models import Base
from labkit.errors import InvalidInput

__all__ = [
    "Key",
    "check_key",
    "columns_of",
    "is_text",
    "keys_of_row",
    "mapper_of",
    "other_keys",
    "primary_keys",
    "unique_keys",
]


class Key(NamedTuple):
    """One row of `model`, found by `names` = `values`, in the order of the names."""

    model: type[Base]
    names: tuple[str, ...]
    values: tuple[Any, ...]

    def __str__(self) -> str:
        columns = columns_of(self.model)
        # The names of the database: models of one table must have one name for a row. True is 1 there.
        values = [int(value) if isinstance(value, int) else value for value in self.values]
        pairs = ",".join(f"{columns[name].name}={value!r}" for name, value in zip(self.names, values, strict=True))
        return f"{columns[self.names[0]].table}:{pairs}"


def mapper_of(model: object) -> Mapper[Any]:
    """Return the mapper of `model`; raise `InvalidInput` when it is no model."""
    if not (isinstance(model, type) and issubclass(model, Base) and model is not Base):
        raise InvalidInput(f"Expected a model, got {model!r}.", remedy="Give a class such as User.")
    mapper: Mapper[Any] = inspect(model)
    return mapper


@cache
def columns_of(model: type[Base]) -> dict[str, Column[Any]]:
    """Return the columns of `model` by the names of its attributes, in their order."""
    return {each.key: cast(Column[Any], each.columns[0]) for each in mapper_of(model).column_attrs}


@cache
def unique_keys(model: type[Base]) -> tuple[tuple[str, ...], ...]:
    """Return every set of attribute names that finds at most one row, the primary key first."""
    mapper = mapper_of(model)
    table = mapper.local_table
    assert isinstance(table, Table)
    sets = [tuple(table.primary_key.columns)]
    sets += [tuple(each.columns) for each in table.constraints if isinstance(each, UniqueConstraint)]
    sets += [tuple(each.columns) for each in table.indexes if isinstance(each, Index) and each.unique]
    named = (tuple(sorted(mapper.get_property_by_column(column).key for column in each)) for each in sets)
    return tuple(dict.fromkeys(named))


def check_key(model: type[Base], values: Mapping[str, Any]) -> Key:
    """Return the key that `values` name; raise `InvalidInput` unless they are one unique key of `model`."""
    columns = columns_of(model)
    names = tuple(sorted(values))
    if names not in unique_keys(model):
        allowed = " or ".join(", ".join(key) for key in unique_keys(model))
        raise InvalidInput(
            f"{model.__name__} is found by {allowed}; found {', '.join(names) or 'no key'}.",
            remedy=f"Use find({model.__name__}, …) for anything else.",
        )
    for name in names:
        # MySQL would compare a text with 0 as numbers, and find some row.
        wanted, value = columns[name].type.python_type, values[name]
        # And a subclass may have another text than the value that the server compares: it would be another key.
        if type(value) is not wanted:
            raise InvalidInput(
                f"{model.__name__}.{name} in a key is a {wanted.__name__}, got {value!r}.",
                remedy="Give its value.",
            )
        if (isinstance(value, str) and not is_text(value)) or (isinstance(value, int) and abs(value) >= 2**63):
            raise InvalidInput(
                f"No {model.__name__} has {name}={value!r}.", remedy="Give a value that can be sent."
            )
    return Key(model, names, tuple(values[name] for name in names))


def is_text(value: str) -> bool:
    """Return True unless half a surrogate pair is in it, which no encoding can send."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


@cache
def _getters(model: type[Base]) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    places = {name: place for place, name in enumerate(columns_of(model))}
    return [(names, tuple(places[name] for name in names)) for names in unique_keys(model)]


def keys_of_row(model: type[Base], values: Sequence[Any]) -> list[Key]:
    """Return every key of the row that holds `values`, in the order of `columns_of`; the primary key first."""
    return [Key(model, names, tuple(values[place] for place in places)) for names, places in _getters(model)]


def primary_keys(instance: Base) -> list[Key]:
    """Return the primary key under which `instance` was loaded, if it was, and the one that it has now."""
    state, model = inspect(instance), type(instance)
    names, *_ = unique_keys(model)
    by_column = [state.mapper.get_property_by_column(column).key for column in state.mapper.primary_key]
    loaded = dict(zip(by_column, state.identity or (), strict=False))
    now = loaded | {name: state.dict[name] for name in names if name in state.dict}
    both = [Key(model, names, tuple(each[name] for name in names)) for each in (loaded, now) if each]
    return list(dict.fromkeys(both))


def other_keys(instance: Base) -> list[Key]:
    """Return every key that `instance` has now but for its primary key; none of an attribute that is not loaded."""
    values = inspect(instance).dict
    return [
        Key(type(instance), names, tuple(values[name] for name in names))
        for names in unique_keys(type(instance))[1:]
        if all(name in values for name in names)
    ]
