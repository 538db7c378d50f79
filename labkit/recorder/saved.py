"""A record as JSON, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from labkit.errors import InvalidInput
from labkit.recorder.notes import Counts, Incident, Kind, Note
from labkit.recorder.record import TABLES, Place, Record

__all__ = ["VERSION", "dump", "load"]

VERSION = 1  # raised when a field changes its meaning or goes away

# Which list the notes in a field come from; every other field is plain.
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


def dump(record: Record, *, indent: int | None = None) -> str:
    """
    Return the record as JSON.

    One object: `version`, the plain fields of `Record`, `places` (a list of stacks, each a list of
    `[file, line, function]`, the innermost first), and one list for each kind of note. A note is an object with the
    fields of its class in `labkit.recorder.notes`; another note in it is given by its number in its own list.
    """
    plain: dict[str, Any] = {"version": VERSION}
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(value, Counts):
            value = {count.name: getattr(value, count.name) for count in fields(value)}
        elif item.name in TABLES:
            value = [_dump(note) for note in value]
        plain[item.name] = value
    return json.dumps(plain, indent=indent, ensure_ascii=False)


def load(text: str) -> Record:
    """
    Return the record that `dump` wrote.

    Raises InvalidInput for anything else, and for another version.
    """
    try:
        plain = json.loads(text)
        if plain["version"] != VERSION:
            raise InvalidInput(
                f"this record has version {plain['version']}, and this labkit reads version {VERSION}.",
                remedy="Take the record again, or read it with the labkit that wrote it.",
            )
        return _load(plain)
    except (KeyError, TypeError, IndexError, AttributeError, json.JSONDecodeError) as error:
        raise InvalidInput(
            f"this is not a record of the flight recorder ({type(error).__name__}: {error}).",
            remedy="Give the JSON that `FlightRecorder.to_json` wrote.",
        ) from error


def _dump(note: Note) -> dict[str, Any]:
    return {item.name: _plain(getattr(note, item.name)) for item in fields(note)}


def _plain(value: Any) -> Any:
    if isinstance(value, Note):
        return value.number
    if isinstance(value, tuple):
        return [each.number for each in value]
    return value


def _load(plain: dict[str, Any]) -> Record:
    record = Record()
    tables: dict[str, dict[int, Note]] = {}
    for name, kind in TABLES.items():
        tables[name] = {each["number"]: kind.__new__(kind) for each in plain[name]}
    for name in TABLES:
        for each in plain[name]:
            _fill(tables[name][each["number"]], each, tables)
        setattr(record, name, list(tables[name].values()))
    for item in ("began", "taken", "pid", "program", "level", "ended", "faults"):
        setattr(record, item, plain[item])
    record.counts = Counts(**plain["counts"])
    record.places = [[Place(*place) for place in stack] for stack in plain["places"]]
    return record


def _fill(note: Note, plain: dict[str, Any], tables: dict[str, dict[int, Note]]) -> None:
    for item in fields(note):
        value = plain[item.name]
        table = _REFERENCES.get(item.name)
        if table and isinstance(value, list):
            value = tuple(tables[table][number] for number in value)
        elif table and value is not None:
            value = tables[table][value]
        elif item.name == "kind" and isinstance(note, Incident):
            value = Kind(value)
        setattr(note, item.name, value)
