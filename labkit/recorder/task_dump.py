"""Where every task and every thread of this process is now."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any, NamedTuple

from labkit.recorder.snapshot import Place
from labkit.recorder.stacks import frames_of, is_library

__all__ = ["DEPTH", "Waiting", "waiting"]

DEPTH = 6  # the user's lines that are kept of each stack


class Waiting(NamedTuple):
    """
    One task or thread.

    `stack` holds the user's lines, the innermost first; `last` is the innermost line of all, which may be a
    library's. `holds` are the numbers of the connections that a task has checked out.
    """

    who: str
    runs: str
    loop: int | None
    stack: list[Place]
    last: Place | None
    holds: list[int]

    def __str__(self) -> str:
        loop = f" on loop #{self.loop}" if self.loop else ""
        at = self.stack[0] if self.stack else self.last
        inside = f", in {self.last}" if self.last and self.last != at else ""
        holds = f"; it holds {_connections(self.holds)}" if self.holds else ""
        return f"{self.who}{loop}: {at or 'no line of Python'}{inside}{holds}"


def _connections(numbers: list[int]) -> str:
    return f"connection{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def waiting(ledger: Any = None, frame: FrameType | None = None) -> list[Waiting]:
    """
    Return the tasks of every loop, then the threads that run the user's code.

    With a `ledger`, loops have its numbers, and what each task holds is said. In a handler of a signal, `frame` is
    what the signal interrupted.
    """
    return [*_tasks(ledger), *_threads(frame)]


def _tasks(ledger: Any) -> Iterator[Waiting]:
    if "asyncio" not in sys.modules:
        return
    import asyncio

    for number, loop in enumerate(_loops(asyncio.AbstractEventLoop), start=1):
        loop_number = ledger.loop(loop).number if ledger is not None else number
        for task in sorted(asyncio.all_tasks(loop), key=_age):
            coroutine = task.get_coro()
            runs = getattr(coroutine, "__qualname__", type(coroutine).__name__).replace("<locals>.", "")
            named = f'task "{task.get_name()}" ({runs})'
            yield Waiting(named, runs, loop_number, *_lines(frames_of(coroutine)), holds=_held(ledger, task))


def _loops(kind: type) -> list[Any]:
    # By its class, since `isinstance` would wake the proxies of web frameworks.
    return [each for each in gc.get_objects() if issubclass(type(each), kind) and not each.is_closed()]


def _age(task: Any) -> tuple[int, str]:
    name = task.get_name()
    number = name.rpartition("-")[2]
    return (int(number) if number.isdecimal() else 0, name)


def _held(ledger: Any, task: Any) -> list[int]:
    entry = ledger.entry_of(task) if ledger is not None else None
    if entry is None:
        return []
    return [checkout.connection.number for checkout in list(ledger.out.values()) if checkout.task is entry]


def _threads(interrupted: FrameType | None) -> Iterator[Waiting]:
    names = {ident: thread.name for ident, thread in list(getattr(threading, "_active", {}).items())}
    for ident, frame in sys._current_frames().items():
        own = ident == threading.get_ident()
        stack, last = _lines(_stack(interrupted if own and interrupted else frame))
        if stack:
            yield Waiting(f"thread {names.get(ident, ident)}", "", None, stack, last, [])


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _lines(frames: Iterable[FrameType]) -> tuple[list[Place], Place | None]:
    places = [Place(frame.f_code.co_filename, frame.f_lineno or 0, _name(frame)) for frame in frames]
    users = [place for place in places if not is_library(place.file)]
    return users[:DEPTH], places[0] if places else None


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return "the module" if code.co_name == "<module>" else code.co_qualname.replace("<locals>.", "")
