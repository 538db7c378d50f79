"""How rules and reports speak of places, tasks, loops and times: the same words for the same thing everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

from labkit.recorder.model import Checkout, Connection, Loop, Task
from labkit.recorder.sanitize import clip, plain
from labkit.recorder.snapshot import Place, Record

__all__ = [
    "at",
    "connection_name",
    "count",
    "duration",
    "ending",
    "held_for",
    "holder",
    "is_redis",
    "joined",
    "loop_name",
    "moment",
    "on_loop",
    "place_name",
    "place_of",
    "task_name",
    "waits_at",
]

_DEFAULT_NAME = re.compile(r"Task-\d+")
_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))


def duration(microseconds: float) -> str:
    """Return a length of time as a person says it: `26 ms`, `3.2 s`, `4 min 10 s`."""
    seconds = microseconds / 1_000_000
    for size, unit, part, smaller in _UNITS:
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit}" + (f" {rest // part} {smaller}" if rest >= part else "")
    if seconds >= 0.9995:
        return f"{_three(seconds)} s"
    return f"{_three(max(seconds * 1000, 0.01))} ms" if seconds > 0 else "0 ms"


def _three(number: float) -> str:
    """Return a number with as many decimals as still say something."""
    decimals = 0 if number >= 9.95 else 1 if number >= 0.995 else 2
    shown = f"{number:.{decimals}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number and its noun: `1 checkout`, `3 checkouts`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}".replace(",", " ")


def joined(parts: Iterable[str], last: str = "and") -> str:
    """Return a list as prose: `a, b and c`."""
    *others, end = [part for part in parts if part] or [""]
    return f"{', '.join(others)} {last} {end}" if others else end


def task_name(task: Task | None, limit: int = 60) -> str:
    """Return how a task is called; one with a default name is told apart by what it runs."""
    if task is None:
        return "no task"
    if task.loop is None:
        return f"thread {clip(task.thread, limit)}"
    if _DEFAULT_NAME.fullmatch(task.name) and task.coroutine:
        return f"task {task.name} ({clip(task.coroutine, limit)})"
    return f'task "{clip(task.name, limit)}"'


def loop_name(loop: Loop | None) -> str:
    """Return a loop's number, and whether it has closed."""
    if loop is None:
        return "no loop"
    return f"loop #{loop.number}" + (" (closed)" if loop.closed is not None else "")


def on_loop(task: Task | None) -> str:
    """Return on which loop a task runs, ` on loop #1`; nothing outside every loop."""
    return f" on loop #{task.loop.number}" if task is not None and task.loop is not None else ""


def at(record: Record, place: int) -> str:
    """Return a place in a sentence: `at shop.py:41 in save_user`."""
    where = place_of(record, place)
    return f"at {where}" if where else "in a library, with no line of yours on the stack"


def is_redis(connection: Connection) -> bool:
    """Return True if a connection leads to Redis."""
    return connection.pool.kind.startswith("redis")


def connection_name(connection: Connection) -> str:
    """Return a connection's number; a Redis connection says so."""
    return f"Redis connection {connection.number}" if is_redis(connection) else f"connection {connection.number}"


def place_name(place: Place | None) -> str:
    """Return a place as `file:line in function`."""
    return plain(place, 200) if place else "a line outside your code"


def place_of(record: Record, place: int) -> str:
    """Return the user's innermost line at the number of a place; nothing when there was none."""
    where = record.where(place)
    return plain(where, 200) if where else ""


def held_for(record: Record, checkout: Checkout, now: int | None = None) -> int:
    """Return for how many microseconds a connection was, or is, checked out; at the moment `now`, or in the end."""
    until = record.taken if now is None else now
    return max(0, (until if checkout.until is None else checkout.until) - checkout.at)


def ending(record: Record, checkout: Checkout) -> str:
    """Return how a checkout ended."""
    if checkout.until is None:
        return "never returned" if record.ended else "still held"
    by = f" by {task_name(checkout.by, 30)}" if checkout.by else ""
    interrupted = ", after its task was cancelled" if checkout.interrupted is not None else ""
    return _ENDINGS.get(checkout.end or "", plain(checkout.end or "ended", 60)) + by + interrupted


_ENDINGS = {
    "collected": "taken back by the garbage collector",
    "closed": "closed while held",
    "invalidated": "invalidated while held",
    "detached": "detached from its pool",
}


def waits_at(record: Record, task: Task | None) -> str:
    """Return the line where a task that has not ended waits now; nothing when that is not known."""
    if task is None or task.ended is not None:
        return ""
    return place_of(record, task.waits)


def holder(record: Record, checkout: Checkout, now: int | None = None) -> str:
    """Return one line on who holds what, since when, from where, and where the holder waits now."""
    line = (
        f"{connection_name(checkout.connection)}: {task_name(checkout.task)} on {loop_name(checkout.task.loop)}, "
        f"for {duration(held_for(record, checkout, now))}, from {place_name(record.where(checkout.place))}"
    )
    waits = waits_at(record, checkout.task) if checkout.until is None else ""
    return f"{line}; it waits now at {waits}" if waits else line


def moment(microseconds: int) -> str:
    """Return a time since the recorder began, to the millisecond: `0.012 s`, `1:02:03.004`."""
    seconds, rest = divmod(round(microseconds / 1000), 1000)
    if seconds < 60:
        return f"{seconds}.{rest:03} s"
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
