"""A finding in the making: what it explains, and what would explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from labkit.recorder.model import Checkout, Connection, Entry, Pool, Task
from labkit.recorder.snapshot import Record

__all__ = ["Draft", "Rule", "about", "keys"]


@dataclass(slots=True)
class Draft:
    """
    One fault as a rule sees it.

    `touches` are the things it happened to, `reach` those whose troubles it explains: another draft that touches
    something in this one's reach can be its consequence, unless it is a connection that leaked before
    this one `begins`. `once` groups drafts of one code; else the line does.
    """

    code: str
    place: int
    summary: str
    at: int
    task: Task | None = None
    connection: Connection | None = None
    since: int | None = None  # when what it is about began: gives the finding's age
    evidence: list[str] = field(default_factory=list)
    touches: set[str] = field(default_factory=set)
    reach: set[str] = field(default_factory=set)
    begins: int | None = None
    once: str = ""


Rule = Callable[[Record], Iterator[Draft]]


def keys(*entries: Entry | None) -> set[str]:
    """Return what stands for these entries in `touches` and `reach`."""
    return {_key(entry) for entry in entries if entry is not None}


def _key(entry: Entry) -> str:
    # A forked child goes on with its parent's numbers; only engines are spoken of across processes.
    pid = f"{entry.pid}: " if isinstance(entry, Pool) else ""
    return f"{type(entry).__name__} {pid}{entry.number}"


def about(checkout: Checkout) -> set[str]:
    """Return everything that a checkout is about."""
    return keys(checkout, checkout.session, checkout.connection.pool)
