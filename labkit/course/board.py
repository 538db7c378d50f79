"""The board: what a learner sees of a clause whose tasks wait to be told who goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from labkit import contract
from labkit.engine import Engine
from labkit.recorder import FlightRecorder
from labkit.recorder.stacks import frames_of

__all__ = ["Board", "InSession", "Out", "Position", "Waits", "asks_a_server", "name_of", "stands", "take_board"]

CONTRACT = str(Path(contract.__file__).parent)

# The innermost frame of a task that waits for an answer is in one of these (asyncmy, compiled, has none).
DRIVERS = (
    *(f"{os.sep}{package}{os.sep}" for package in ("sqlalchemy", "aiosqlite", "aiomysql", "redis")),
    *(f"{os.sep}asyncio{os.sep}{module}.py" for module in ("streams", "base_events", "selector_events")),
)

Task = asyncio.Task[Any]
Position = tuple[tuple[CodeType, int], ...]


@dataclass(frozen=True)
class Waits:
    """A task of the clause that has not ended: at a `point` that it wants to pass, or else at a line (`where`)."""

    task: str
    point: str
    where: str


@dataclass(frozen=True)
class Out:
    """A connection that is checked out, and by which task."""

    connection: int
    task: str


@dataclass(frozen=True)
class InSession:
    """A task inside a block, and the session it has there: equal letters are one session."""

    task: str
    session: str
    in_transaction: bool


@dataclass(frozen=True)
class Board:
    """
    What a learner chooses by, while no task gets any further by itself.

    `points` are those at which a task waits, in the order in which the clause itself passes them. `pool` is (out,
    size, waiting).
    """

    points: tuple[str, ...]
    tasks: tuple[Waits, ...]
    pool: tuple[int, int, int]
    out: tuple[Out, ...]
    sessions: tuple[InSession, ...]


def take_board(
    order: Sequence[str],
    waiting: Mapping[str, Task],
    tasks: Iterable[Task],
    engines: Sequence[Engine],
    flight: FlightRecorder,
    letter: Callable[[Any], str],
) -> Board:
    """
    Return what there is to be seen now, on the loop of the clause.

    `waiting` has the task that waits at each point of `order`, `tasks` are those that have not ended, and `letter`
    names a session.
    """
    return Board(
        tuple(point for point in order if point in waiting),
        tuple(_tasks(tasks, {task: point for point, task in waiting.items()})),
        _pool(engines),
        tuple(_out(flight)),
        tuple(_sessions(engines, letter)),
    )


def _tasks(tasks: Iterable[Task], points: Mapping[Task, str]) -> Iterator[Waits]:
    for task in tasks:
        if task in points or _is_of_clause(task):
            yield Waits(name_of(task), points.get(task, ""), _where(task))


def _pool(engines: Sequence[Engine]) -> tuple[int, int, int]:
    counts = [engine.statistics() for engine in engines if engine.state == "open"]
    return (
        sum(count.checked_out for count in counts),
        sum(count.pool_size for count in counts),
        sum(count.waiting for count in counts),
    )


def _out(flight: FlightRecorder) -> Iterator[Out]:
    for checkout in flight.holders():
        if not checkout.connection.pool.kind.startswith("redis"):
            yield Out(checkout.connection.number, _spoken(checkout.task.coroutine))


def _sessions(engines: Sequence[Engine], letter: Callable[[Any], str]) -> Iterator[InSession]:
    # The registry itself is read, and not asked: a look must not make a session.
    for engine in engines:
        for task in sorted(engine.blocks, key=name_of):
            session = engine.session_of(task)
            if session is not None:
                yield InSession(name_of(task), letter(session), session.in_transaction())


def name_of(task: Task) -> str:
    """Return what a task is called by: its function's name."""
    return _spoken(getattr(task.get_coro(), "__qualname__", task.get_name()))


def _spoken(qualname: str) -> str:
    return qualname.rpartition(".")[2].strip("_").replace("_", " ") or "nobody"


def stands(task: Task) -> Position:
    """Return where a task waits, the innermost place first: when that changes it has gone on."""
    return tuple((frame.f_code, frame.f_lasti) for frame in frames_of(task.get_coro()))


def asks_a_server(position: Position) -> bool:
    """Return True if a task that stands there waits for a server, and not for another task of its loop."""
    return bool(position) and any(part in position[0][0].co_filename for part in DRIVERS)


def _is_of_clause(task: Task) -> bool:
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame is not None and frame.f_code.co_filename.startswith(CONTRACT)


def _where(task: Task) -> str:
    own = (frame for frame in frames_of(task.get_coro()) if frame.f_code.co_filename.startswith(CONTRACT))
    frame = next(own, None)
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""
