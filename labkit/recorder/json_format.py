"""A record as JSON, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from labkit.errors import InvalidInput
from labkit.recorder.model import Counts, Entry, Kind
from labkit.recorder.snapshot import TABLES, Place, Record

__all__ = ["VERSION", "dump", "load"]

VERSION = 1  # raised when a field changes its meaning or goes away

# Which list the entries in a field come from; every other field is plain.
_REFERENCES = {
    "loop": "loops",
    "task": "tasks",
    "other": "tasks",
    "by": "tasks",
    "factory": "factories",
    "registry": "factories",
    "maker": "factories",
    "pool": "pools",
    "connection": "connections",
    "session": "sessions",
    "checkout": "checkouts",
    "holders": "checkouts",
}
_PLACES = frozenset({"place", "waits", "wrote", "other_place"})
_PLAIN = {
    "began": (int, float),
    "taken": (int,),
    "pid": (int,),
    "program": (str,),
    "level": (str,),
    "ended": (bool,),
    "faults": (list,),
}
# The types that a field of an entry may have, None among them.
_TYPES = {
    kind: {name: get_args(hint) or (hint,) for name, hint in get_type_hints(kind).items()}
    for kind in TABLES.values()
}


def dump(record: Record, *, indent: int | None = None) -> str:
    """
    Return the record as JSON.

    One object: `version`, the plain fields of `Record`, `places` (a list of stacks, each a list of
    `[file, line, function]`, the innermost first), and one list for each kind of entry. An entry is an object
    with the fields of its class in `labkit.recorder.model`; another entry in it is given by its number in its list.
    """
    plain: dict[str, Any] = {"version": VERSION}
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(value, Counts):
            value = {count.name: getattr(value, count.name) for count in fields(value)}
        elif item.name in TABLES:
            value = [_dump(entry) for entry in value]
        plain[item.name] = value
    return json.dumps(plain, indent=indent, ensure_ascii=False)


def load(text: str) -> Record:
    """
    Return the record that `dump` wrote.

    Raises InvalidInput for anything else, and for another version.
    """
    try:
        plain = json.loads(text)
        version = _typed(plain["version"], (int,))
        record = _load(plain) if version == VERSION else None
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"this is not a record of the flight recorder ({type(error).__name__}: {error}).",
            remedy="Give the JSON that `FlightRecorder.to_json` wrote.",
        ) from error
    if record is None:
        raise InvalidInput(
            f"this record has version {version}, and this labkit reads version {VERSION}.",
            remedy="Take the record again, or read it with the labkit that wrote it.",
        )
    return record


def _dump(entry: Entry) -> dict[str, Any]:
    return {item.name: _plain(getattr(entry, item.name)) for item in fields(entry)}


def _plain(value: Any) -> Any:
    if isinstance(value, Entry):
        return value.number
    if isinstance(value, tuple):
        return [each.number for each in value]
    return value


def _load(plain: dict[str, Any]) -> Record:
    record = Record()
    record.places = [[_place(*place) for place in stack] for stack in plain["places"]]
    record.counts = Counts(**plain["counts"])
    for name, types in _PLAIN.items():
        setattr(record, name, _typed(plain[name], types))
    tables: dict[str, dict[int, Entry]] = {}
    for name, kind in TABLES.items():
        tables[name] = {_typed(each["number"], (int,)): kind.__new__(kind) for each in plain[name]}
    for name in TABLES:
        for each in plain[name]:
            _fill(tables[name][each["number"]], each, tables, len(record.places))
        setattr(record, name, list(tables[name].values()))
    return record


def _fill(entry: Entry, plain: dict[str, Any], tables: dict[str, dict[int, Entry]], places: int) -> None:
    for name, types in _TYPES[type(entry)].items():
        value = plain[name]
        table = _REFERENCES.get(name)
        if value is None or table is None:
            value = Kind(value) if Kind in types else _typed(value, types)
        elif isinstance(value, list):
            value = tuple(tables[table][number] for number in value)
        else:
            value = tables[table][value]
        if name in _PLACES and not 0 <= value < places:
            raise ValueError(f"there is no place {value}")
        setattr(entry, name, value)


def _place(file: object, line: object, function: object) -> Place:
    return Place(_typed(file, (str,)), _typed(line, (int,)), _typed(function, (str,)))


def _typed(value: Any, types: tuple[Any, ...]) -> Any:
    if not isinstance(value, types):
        raise TypeError(f"a {type(value).__name__} where there should be a {types[0].__name__}")
    return value
