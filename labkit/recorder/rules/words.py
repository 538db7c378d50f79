"""How the rules speak of places, tasks, loops and times: the same words for the same thing everywhere."""

from __future__ import annotations

from labkit.recorder.model import Checkout, Loop, Task
from labkit.recorder.snapshot import Record

__all__ = ["at", "holder", "loop_words", "opened_on", "span", "who"]


def at(record: Record, place: int) -> str:
    """Say a place: `at shop.py:41 in save_user`."""
    where = record.where(place)
    return f"at {where}" if where else "in a library, with no line of yours on the stack"


def who(task: Task | None) -> str:
    """Say whose hands: `task "signup"`, `task "Task-7" (worker)`, `thread MainThread`."""
    if task is None:
        return "no task"
    if task.coroutine and task.name.startswith("Task-"):
        return f'task "{task.name}" ({task.coroutine})'
    return f'task "{task.name}"' if task.coroutine else f"thread {task.thread}"


def loop_words(loop: Loop | None) -> str:
    """Say a loop: ` on loop #1`; nothing outside every loop."""
    return f" on loop #{loop.number}" if loop else ""


def opened_on(loop: Loop | None) -> str:
    """Say which loop something belongs to, and whether that loop still lives."""
    if loop is None:
        return "outside every loop"
    return f"loop #{loop.number}" + (" (closed)" if loop.closed is not None else "")


def span(microseconds: int) -> str:
    """Say how long: `26 ms`, `3.2 s`."""
    milliseconds = microseconds / 1000
    if milliseconds < 1:
        return f"{microseconds} µs"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def holder(record: Record, checkout: Checkout, now: int) -> str:
    """Say who holds a connection: since when, from which line, and where the holder waits now."""
    held = span((checkout.until or now) - checkout.at)
    words = f"connection {checkout.connection.number} was held by {who(checkout.task)}"
    words += f", checked out {at(record, checkout.place)}, for {held}"
    waits = record.where(checkout.task.waits) if checkout.until is None else None
    return words + (f"; it waits now at {waits}" if waits else "")
