"""
What the recorder writes down about each thing it sees.

    Loop ── Task ───────────┐
      └──── Connection ── Checkout ── Session ── Factory
               └── Pool ─────────────────────────────┘

An entry holds numbers, names, times and other entries, and never the thing itself: an engine, a session or a task
that only an entry remembers can be collected. Times are whole microseconds since the recorder began. A place is the
number of an interned stack (`labkit.recorder.stacks`); 0 stands for a stack with no line of the user's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "Checkout",
    "Connection",
    "Entry",
    "Factory",
    "Incident",
    "Kind",
    "Loop",
    "Mark",
    "Pool",
    "Session",
    "Task",
]


@dataclass(slots=True, eq=False)
class Entry:
    """Something the recorder has numbered; numbers begin at 1, for each kind of entry, and are never used again."""

    number: int


@dataclass(slots=True, eq=False)
class Loop(Entry):
    """An event loop, from the first time it was seen."""

    seen: int
    thread: str
    closed: int | None = None


@dataclass(slots=True, eq=False)
class Task(Entry):
    """A task; or, outside every task, what runs in a thread (`loop` is then None, or the loop of a callback)."""

    name: str
    loop: Loop | None
    thread: str
    coroutine: str = ""  # the qualified name of what the task runs
    test: str | None = None  # on whose account it works: see `labkit.recorder.attribution`
    ended: int | None = None
    end: str | None = None  # finished, failed or cancelled
    waits: int = 0  # place: where it waits now; filled in when a record is taken

    def __str__(self) -> str:
        return f'task "{self.name}"' if self.loop else f"thread {self.thread}"


@dataclass(slots=True, eq=False)
class Factory(Entry):
    """A line that builds engines, session factories ("factory": async_sessionmaker) or registries of sessions."""

    kind: str  # engine, factory or registry (async_scoped_session)
    place: int
    built: int = 0  # how many it built: in one loop, or of one URL


@dataclass(slots=True, eq=False)
class Pool(Entry):
    """The connections of one engine, or of one Redis client."""

    kind: str  # mysql+asyncmy, sqlite+aiosqlite, redis, …
    url: str  # without its password
    place: int  # where the engine or the client was made
    made: int
    maker: Factory | None = None
    disposed: int | None = None
    test: str | None = None  # on whose account it was made: see `labkit.recorder.attribution`
    pid: int = 0  # a forked child knows its parent's


@dataclass(slots=True, eq=False)
class Connection(Entry):
    """One connection to a server, from its birth to its end."""

    pool: Pool
    task: Task  # which opened it; `task.loop` is the loop it belongs to
    pid: int
    opened: int
    place: int
    checkouts: int = 0
    generation: int = 1  # which of its engine's pools it is in: `dispose` makes a new one
    closed: int | None = None
    end: str | None = None  # closed, invalidated, collected or dropped


@dataclass(slots=True, eq=False)
class Session(Entry):
    """A session, or a connection object that was used without one, on which operations run one at a time."""

    kind: str  # session or connection
    task: Task  # which used it first
    place: int  # where a registry made it; 0 for other sessions
    factory: Factory | None = None
    registry: Factory | None = None
    wrote: int = 0  # place of its last write that was neither committed nor rolled back
    ended: int | None = None
    end: str | None = None  # with (its own `async with`), close, error or collected


@dataclass(slots=True, eq=False)
class Checkout(Entry):
    """One connection in one task's hands, from checkout to checkin."""

    connection: Connection
    task: Task
    place: int
    at: int
    session: Session | None = None
    until: int | None = None
    end: str | None = None  # returned, collected, invalidated, closed or detached
    by: Task | None = None  # which returned it, when that was another
    interrupted: int | None = None  # when its task was cancelled or timed out while holding it


class Kind(StrEnum):
    """What can go wrong, as a hook sees it; the rules make findings of it."""

    COLLECTED = "collected"  # the garbage collector took a checked-out connection
    HELD_AT_END = "held at end"  # of the test or the notebook cell; `text` says what ended
    HELD_AT_LOOP_END = "held at loop end"
    HELD_AT_EXIT = "held at exit"
    IDLE_AT_LOOP_END = "idle at loop end"
    IDLE_AT_EXIT = "idle at exit"
    DROPPED = "dropped"  # a pool was collected with open connections
    CROSSED_LOOPS = "crossed loops"
    CROSSED_FORK = "crossed fork"
    PRIMITIVE_CROSSED_LOOPS = "primitive crossed loops"
    OVERLAPPED = "overlapped"  # two tasks inside one session
    IMPLICIT_IO = "implicit io"
    LOST_WRITE = "lost write"
    LEFT_IN_SCOPE = "left in scope"
    REUSED_SCOPE = "reused scope"
    TIMED_OUT = "timed out"  # the pool gave no connection in time
    NESTED = "nested"  # asked a full pool for a second connection
    CANCELLED = "cancelled"  # a statement was cancelled, and its connection with it
    STALE = "stale"  # the first use after checkout found the connection closed
    LOST_TASK = "lost task"
    ABANDONED_GENERATOR = "abandoned generator"
    NEST_ASYNCIO = "nest asyncio"


@dataclass(slots=True, eq=False)
class Incident(Entry):
    """Something that went wrong. Incidents are few, and kept apart from ordinary traffic."""

    kind: Kind
    at: int
    task: Task | None  # in which it came to light; None in a finaliser outside every task
    place: int
    checkout: Checkout | None = None
    connection: Connection | None = None
    session: Session | None = None
    pool: Pool | None = None
    other: Task | None = None  # the other task of two
    other_place: int = 0
    holders: tuple[Checkout, ...] = ()
    text: str = ""  # a name or an exception's class; never a parameter
    waited: int = 0


@dataclass(slots=True, eq=False)
class Mark(Entry):
    """A moment worth a sign on the timeline: opened, closed, invalidated, disposed, cancelled, collected, …"""

    at: int
    what: str
    connection: Connection | None = None
    task: Task | None = None
    loop: Loop | None = None
    pool: Pool | None = None
    place: int = 0
    took: int = 0  # at the level `statements`: how long the statement ran


@dataclass(slots=True)
class Counts:
    """Totals since the recorder began; they outlive what the ring has forgotten."""

    checkouts: int = 0
    checkins: int = 0
    opened: int = 0
    closed: int = 0
    waits: int = 0
    longest_wait: int = 0
    statements: int = 0
    forgotten: int = 0  # events that the ring had no room for
    by_kind: dict[str, int] = field(default_factory=dict)
