"""What is known of sessions: what made them, who is inside, and whether what they wrote was kept."""

from __future__ import annotations

import sys
import weakref
from typing import Any, cast

from sqlalchemy.orm import Session as OrmSession

from labkit.recorder import activity
from labkit.recorder.activity import Operation
from labkit.recorder.attribution import owner_now
from labkit.recorder.ledger import Ledger
from labkit.recorder.model import Checkout, Factory, Kind, Session
from labkit.recorder.stacks import NOWHERE
from labkit.recorder.trackers.targets import Targets

__all__ = ["SessionTracker"]


class SessionTracker:
    """Keeps an entry for each session that did something, and for each connection object used without a session."""

    def __init__(self, ledger: Ledger, targets: Targets) -> None:
        self._ledger = ledger
        self._targets = targets
        self._key = ledger.key
        self._makers: weakref.WeakKeyDictionary[Any, Factory] = weakref.WeakKeyDictionary()
        self._served: weakref.WeakSet[Any] = weakref.WeakSet()  # those that had a connection of a target

    # What makes sessions.

    def maker_made(self, maker: Any, kind: str) -> None:
        """A session factory or a registry was built by the user's line that is running now."""
        task = self._ledger.task()
        loop = task.loop.number if task.loop else None
        self._makers[maker] = self._ledger.builder(kind, self._ledger.here(), loop, task.test)

    def made(self, session: Any) -> None:
        """A session was made; whose it is counts where there are several owners."""
        if owner_now() is not None:
            self.entry(session)

    def made_by_factory(self, session: Any, factory: Any) -> None:
        """A factory made a session."""
        maker = self._makers.get(factory)
        if maker is not None:
            self.entry(session).factory = maker

    def made_by_registry(self, session: Any, registry: Any) -> None:
        """A registry made a session, because its scope had none."""
        entry = self.entry(session)
        entry.registry = self._makers.get(registry)
        entry.place = self._ledger.here()

    def entry(self, session: Any) -> Session:
        """Return the entry of a session or connection object."""
        entries = activity.state_of(session).entries
        entry: Session | None = entries.get(self._key)
        if entry is None:
            kind = "session" if isinstance(session, OrmSession) else "connection"
            entry = Session(self._ledger.number(Session), kind, task=self._ledger.task(), place=NOWHERE)
            entry = entries.setdefault(self._key, entry)
        return entry

    def in_hand(self) -> Session | None:
        """Return the session whose operation is running now."""
        operation = activity.current()
        if operation is None:
            return None
        if self._targets.everything and (entry := operation.state.entries.get(self._key)) is not None:
            return cast(Session, entry)
        subject = operation.subject()
        if subject is None:
            return None
        if not self._targets.everything:
            self._served.add(subject)
        return self.entry(subject)

    def wants(self, session: Any) -> bool:
        """Return True if a session, or a connection object, works on an engine that is watched."""
        if self._targets.everything:
            return True
        bind = getattr(session, "bind", session)
        if bind is None:
            return session in self._served  # several engines, or one that it chooses itself
        return self._targets.wants_pool(bind.engine.pool)

    # Operations.

    def began(self, operation: Operation) -> None:
        """An operation begins: is another task inside the same session, or does it end a session that wrote?"""
        if not self._targets.everything and not self.wants(operation.subject()):
            return
        if len(operation.state.operations) > 1:
            self._overlap(operation)
        entry = operation.state.entries.get(self._key)
        if entry is not None and entry.registry is not None:
            self._check_scope(entry)
        if operation.closes:
            if entry is not None:
                self._closing(operation, entry)
        elif _writes(operation) and isinstance(operation.subject(), OrmSession):
            self.wrote(operation.subject())

    def _check_scope(self, entry: Session) -> None:
        """A registry must not give one task's session to another."""
        task = self._ledger.task()
        if entry.task is not task and entry.task.ended is not None:
            self._ledger.incident(Kind.REUSED_SCOPE, entry.place, session=entry, other=entry.task)

    def _overlap(self, operation: Operation) -> None:
        first = next((other for other in operation.state.operations if other.task != operation.task), None)
        if first is None or first is operation:
            return
        other = first.task() if first.task else None
        self._ledger.incident(
            Kind.OVERLAPPED,
            self._ledger.here() or self._waiting(operation.state.owner),
            session=self.entry(operation.subject()),
            other=self._ledger.meet(other) if other is not None else None,
            other_place=self._waiting(first.task),
            text=f"{first.name} and {operation.name}",
        )

    def _waiting(self, task: weakref.ref[Any] | None) -> int:
        running = task() if task is not None else None
        return self._ledger.places.capture_suspended(running.get_coro()) if running is not None else NOWHERE

    # Writes.

    def wrote(self, session: Any) -> None:
        """A session sent rows to the database, in a transaction that is still open."""
        if self.wants(session):
            self.entry(session).wrote = self._ledger.here()

    def settled(self, session: Any) -> None:
        """A session committed, or rolled back on purpose."""
        entry = activity.state_of(session).entries.get(self._key)
        if entry is not None and not session.in_nested_transaction():
            entry.wrote = NOWHERE

    def _closing(self, operation: Operation, entry: Session) -> None:
        how = operation.state.leaving or ("error" if sys.exc_info()[1] is not None else "close")
        entry.ended, entry.end = self._ledger.now(), how
        if entry.wrote and how != "error" and not _autocommits(operation.subject()):
            self._ledger.incident(Kind.LOST_WRITE, entry.wrote, session=entry)
        entry.wrote = NOWHERE

    def lost(self, checkout: Checkout) -> None:
        """A checkout ended without its session: what that session wrote is lost too."""
        entry = checkout.session
        if entry is not None and entry.wrote:
            entry.ended, entry.end = self._ledger.now(), "collected"
            self._ledger.incident(Kind.LOST_WRITE, entry.wrote, session=entry, checkout=checkout)
            entry.wrote = NOWHERE

    def is_first_use(self, checkout: Checkout) -> bool:
        """Return True if the running operation is the first to send something through a connection."""
        operation = activity.current()
        if checkout.connection.checkouts < 2 or operation is None:
            return False
        if self._ledger.moment(operation.at) <= checkout.at:
            return True  # the operation that asked for the connection: a session's first
        return operation.number == 1 and checkout.session is None


def _writes(operation: Operation) -> bool:
    """Return True if an operation is an INSERT, UPDATE or DELETE; flushes have an event of their own."""
    statement = operation.statement
    if statement is None or operation.name not in {"execute", "scalar", "scalars"}:
        return False
    if getattr(statement, "is_dml", False):
        return True
    text = getattr(statement, "text", None)
    return isinstance(text, str) and text.lstrip()[:7].lower() in _WRITING


_WRITING = {"insert ", "update ", "delete ", "replace"}


def _autocommits(session: Any) -> bool:
    """Return True if every statement of a session was committed at once, by its connection's isolation level."""
    transaction = session.get_transaction() if hasattr(session, "get_transaction") else None
    connections = getattr(transaction, "_connections", {})
    for held in list(connections.values()):
        connection = held[0]
        level = connection.get_execution_options().get("isolation_level")
        if (level or getattr(connection.dialect, "_on_connect_isolation_level", None)) == "AUTOCOMMIT":
            return True
    return False
