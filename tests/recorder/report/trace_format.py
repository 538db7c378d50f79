"""
A strict reader of the Trace Event Format, as far as labkit writes it.

The rules are those of the format's definition (Google's "Trace Event Format" document) and of Perfetto's reader,
which pairs asynchronous events by category and id, and the name with the innermost slice that is open.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

METADATA = {
    "process_name": ("name", str),
    "process_sort_index": ("sort_index", int),
    "thread_name": ("name", str),
    "thread_sort_index": ("sort_index", int),
}
REQUIRED = {"b": {"cat", "id"}, "e": {"cat", "id"}, "n": {"cat", "id"}, "i": {"s"}, "X": {"dur"}, "M": {"args"}}


def complaints(text: str) -> list[str]:
    """Return every rule that a trace breaks."""
    whole = json.loads(text, parse_constant=lambda name: f"not a number: {name}")
    if not isinstance(whole, dict) or not isinstance(whole.get("traceEvents"), list):
        return ["a trace is an object with a list of traceEvents"]
    events = whole["traceEvents"]
    found = [] if whole.get("displayTimeUnit") in ("ms", "ns") else ["displayTimeUnit is ms or ns"]
    for place, event in enumerate(events):
        found += [f"event {place}: {wrong}" for wrong in _alone(event)]
    return found or list(_together(events))


def _alone(event: Any) -> Iterator[str]:
    for key, kind in {"ph": str, "name": str, "pid": int, "tid": int}.items():
        if not isinstance(event.get(key), kind) or isinstance(event.get(key), bool):
            yield f"{key} is a {kind.__name__}, not {event.get(key)!r}"
    if event.get("ph") not in REQUIRED:
        yield f"the phase {event.get('ph')!r} is not known"
    yield from (f"{key} is missing" for key in REQUIRED.get(event.get("ph"), set()) - set(event))
    for key in {"ts", "dur"} & set(event) | {"ts"}:
        value = event.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            yield f"{key} is a number of microseconds, not {value!r}"
    if not isinstance(event.get("args", {}), dict):
        yield "args is an object"
    elif event.get("ph") == "M":
        yield from _metadata(event)
    if event.get("s", "t") not in ("g", "p", "t"):
        yield f"the scope {event['s']!r} is not known"
    if "id" in event and not (isinstance(event["id"], str | int) and event["id"]):
        yield "an id is a text or a number"


def _metadata(event: dict[str, Any]) -> Iterator[str]:
    key, kind = METADATA.get(event.get("name", ""), ("", object))
    if not key:
        yield f"the metadata {event.get('name')!r} is not known"
    elif not isinstance(event["args"].get(key), kind) or event["args"].get(key) == "":
        yield f"{event['name']} has {key} in its arguments"


def _together(events: list[dict[str, Any]]) -> Iterator[str]:
    named = [(event["name"], event["pid"], event["tid"]) for event in events if event["ph"] == "M"]
    yield from (f"{one} is said twice" for one in sorted(set(named)) if named.count(one) > 1)
    shown = [event for event in events if event["ph"] != "M"]
    threads = {(pid, tid) for name, pid, tid in named if name == "thread_name"}
    yield from (
        f"no name for thread {each}" for each in sorted({(one["pid"], one["tid"]) for one in shown} - threads)
    )
    if [event["ts"] for event in shown] != sorted(event["ts"] for event in shown):
        yield "events are in the order of time"
    yield from _pairs(shown)


def _pairs(events: list[dict[str, Any]]) -> Iterator[str]:
    open_slices: dict[tuple[str, Any], list[str]] = {}
    for event in events:
        if event["ph"] == "b":
            open_slices.setdefault((event["cat"], event["id"]), []).append(event["name"])
        elif event["ph"] == "e":
            stack = open_slices.get((event["cat"], event["id"]), [])
            if not stack:
                yield f"{event['name']} ends without a beginning"
            elif (begun := stack.pop()) != event["name"]:
                yield f"{event['name']} ends while {begun} is open"
    yield from (f"{name} never ends" for stack in open_slices.values() for name in stack)
