"""What is known of SQL connections: who has one, since when, from which line, and how it came to an end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from sqlalchemy.exc import DisconnectionError

from labkit.recorder.ledger import Ledger
from labkit.recorder.model import Checkout, Connection, Kind, Task
from labkit.recorder.stacks import user_frame
from labkit.recorder.trackers.engines import EngineTracker, Generation
from labkit.recorder.trackers.sessions import SessionTracker

__all__ = ["PoolTracker"]


class PoolTracker:
    """
    Follows connections through their pool's events.

    A connection's entry lies in its record's `info`, which SQLAlchemy clears when the record gets a new connection:
    no `id` stands for anything, except between `detach` and `close_detached`, where there is no record.
    """

    def __init__(self, ledger: Ledger, engines: EngineTracker, sessions: SessionTracker) -> None:
        self._ledger = ledger
        self._engines = engines
        self._sessions = sessions
        self._key = ledger.key
        self._out: dict[int, list[Checkout]] = {}  # by connection; a StaticPool gives one out several times
        self._detached: dict[int, Connection] = {}

    def _entry(self, record: Any) -> Connection | None:
        return record.info.get(self._key) if record is not None else None

    # A connection's life.

    def connected(self, record: Any) -> None:
        """A connection was opened."""
        generation = self._engines.generation(record._ConnectionRecord__pool)
        if generation is not None:
            self._open(record, generation)

    def _open(self, record: Any, generation: Generation) -> Connection:
        ledger, task = self._ledger, self._ledger.task()
        entry = Connection(
            ledger.number(Connection),
            pool=generation.pool,
            task=task,
            pid=ledger.pid,
            opened=ledger.now(),
            place=ledger.here(),
            generation=generation.number,
        )
        record.info[self._key] = ledger.connections[entry.number] = entry
        ledger.counts.opened += 1
        ledger.mark("opened", connection=entry, task=task, place=entry.place)
        return entry

    def _closed(self, entry: Connection, how: str) -> None:
        if entry.closed is None:
            entry.closed = self._ledger.now()
            entry.end = entry.end or how
            self._ledger.connections.pop(entry.number, None)
            self._ledger.counts.closed += 1
            self._ledger.mark(entry.end, connection=entry)

    # Checkouts.

    def checked_out(self, record: Any, fairy: Any) -> None:
        """A connection was checked out."""
        entry = record.info.get(self._key)
        if entry is None or not self._engines.targets.everything:
            generation = self._engines.generation(fairy._pool)
            if generation is None:
                return
            entry = entry or self._open(record, generation)  # opened before the recorder began
        ledger = self._ledger
        place = ledger.places.capture(user_frame())
        checkout = ledger.begin(entry, place, self._sessions.in_hand())
        self._out.setdefault(entry.number, []).append(checkout)
        if entry.pid != ledger.pid:
            ledger.incident(Kind.CROSSED_FORK, checkout.place, checkout=checkout, connection=entry, pool=entry.pool)
        elif self._elsewhere(entry, checkout.task):
            ledger.incident(
                Kind.CROSSED_LOOPS, checkout.place, checkout=checkout, connection=entry, pool=entry.pool
            )

    @staticmethod
    def _elsewhere(entry: Connection, task: Task) -> bool:
        born = entry.task.loop
        return born is not None and task.loop is not None and born is not task.loop

    def checked_in(self, record: Any, dbapi: Any) -> None:
        """A connection came back; `dbapi` is None when it had been invalidated meanwhile."""
        entry = record.info.get(self._key)
        if entry is not None:
            self._end(entry, "returned" if dbapi is not None else "invalidated")

    def _end(self, entry: Connection, how: str) -> None:
        ledger = self._ledger
        for checkout in self._out.pop(entry.number, ()):
            ledger.end(checkout, how, ledger.closer())

    def collected(self, record: Any) -> None:
        """A connection is being reset without any IO: the garbage collector has found it checked out."""
        entry = self._entry(record)
        if entry is None or entry.pid != self._ledger.pid:
            return
        entry.end = "collected"
        for checkout in self._out.pop(entry.number, ()):
            self._collect(checkout)

    def _collect(self, checkout: Checkout) -> None:
        ledger = self._ledger
        if self._is_being_cancelled(checkout):
            checkout.interrupted = ledger.now()
        ledger.end(checkout, "collected")
        self._sessions.lost(checkout)
        ledger.incident(Kind.COLLECTED, checkout.place, checkout=checkout, connection=checkout.connection)

    def _is_being_cancelled(self, checkout: Checkout) -> bool:
        with contextlib.suppress(RuntimeError):
            task = asyncio.current_task()
            return task is not None and self._ledger.entry_of(task) is checkout.task and task.cancelling() > 0
        return False

    # Connections that end in another way.

    def invalidated(self, record: Any, error: BaseException | None) -> None:
        """A connection can't be used any more: by order, by an error, or because its statement was cancelled."""
        entry = self._entry(record)
        if entry is None:
            return
        checkouts = self._out.get(entry.number)
        if checkouts:
            self._lost(checkouts[-1], error)
        elif error is not None and self._elsewhere(entry, self._ledger.task()):
            # The pre-ping failed before the checkout was complete.
            self._ledger.incident(
                Kind.CROSSED_LOOPS,
                self._ledger.here(),
                connection=entry,
                pool=entry.pool,
                text=type(error).__name__,
            )
        entry.end = entry.end or "invalidated"

    def _lost(self, checkout: Checkout, error: BaseException | None) -> None:
        about = {"checkout": checkout, "connection": checkout.connection, "pool": checkout.connection.pool}
        session = self._sessions.in_hand() or checkout.session
        if isinstance(error, asyncio.CancelledError):
            checkout.interrupted = self._ledger.now()
            self._ledger.incident(Kind.CANCELLED, checkout.place, session=session, **about)
        elif isinstance(error, DisconnectionError):
            pass  # the application has tested it by itself, and the pool makes another
        elif error is not None and self._sessions.is_first_use(checkout):
            self._ledger.incident(Kind.STALE, self._ledger.here(), text=type(error).__name__, **about)

    def closed(self, record: Any) -> None:
        """A connection was closed: by `dispose`, by overflow, or after it was invalidated."""
        entry = self._entry(record)
        if entry is not None:
            self._closed(entry, "closed")
            if entry.end == "invalidated":
                self._end(entry, "invalidated")

    def detached(self, record: Any, dbapi: Any) -> None:
        """A connection left its pool; it is still checked out."""
        entry = self._entry(record)
        if entry is not None:
            self._detached[id(dbapi)] = entry
            self._ledger.mark("detached", connection=entry)

    def closed_detached(self, dbapi: Any) -> None:
        """A connection without a pool was closed."""
        entry = self._detached.pop(id(dbapi), None)
        if entry is not None:
            self._closed(entry, "closed")
            self._end(entry, "closed")

    def statement_ran(self, record: Any, verb: str, took: int) -> None:
        """A statement came to its end, after `took` microseconds."""
        entry, ledger = self._entry(record), self._ledger
        if entry is not None and ledger.level == "statements":
            ledger.counts.statements += 1
            ledger.mark(f"statement {verb}".rstrip(), connection=entry, task=ledger.task(), took=took)

    # Waiting for the pool.

    def asked(self, pool: Any) -> int:
        """A task asks a pool for a connection; return when."""
        generation = self._engines.generation(pool)
        if generation is not None and _is_full(pool):
            self._has_to_wait(generation)
        return self._ledger.now()

    def _has_to_wait(self, generation: Generation) -> None:
        task = self._ledger.task()
        self._ledger.counts.waits += 1
        self._ledger.waiting.add(task.number)
        held = self._held(generation)
        mine = [checkout for checkout in held if checkout.task is task]
        if mine:
            self._ledger.incident(
                Kind.NESTED,
                self._ledger.here(),
                checkout=mine[-1],
                connection=mine[-1].connection,
                pool=generation.pool,
                holders=tuple(held),
            )

    def served(self, since: int) -> None:
        """A pool gave a connection, or gave up."""
        waiting = self._ledger.waiting
        if waiting and (task := self._ledger.task()).number in waiting:
            waiting.discard(task.number)
            waited = self._ledger.now() - since
            self._ledger.counts.longest_wait = max(self._ledger.counts.longest_wait, waited)
            self._ledger.mark("waited", task=task, took=waited)

    def timed_out(self, pool: Any, since: int) -> None:
        """A pool gave no connection in time."""
        generation = self._engines.generation(pool)
        if generation is not None:
            self._ledger.incident(
                Kind.TIMED_OUT,
                self._ledger.here(),
                pool=generation.pool,
                holders=tuple(self._held(generation)),
                waited=self._ledger.now() - since,
            )

    def forked(self) -> None:
        """What is out is in the parent's hands."""
        self._out.clear()
        self._detached.clear()

    def _held(self, generation: Generation) -> list[Checkout]:
        held = [checkout for checkouts in list(self._out.values()) for checkout in checkouts]
        return [checkout for checkout in held if checkout.connection.generation == generation.number]


def _is_full(pool: Any) -> bool:
    """Return True if the next checkout has to wait for a checkin; only pools with a limit ever fill up."""
    limit = getattr(pool, "_max_overflow", None)
    if limit is None or limit < 0:
        return False
    return bool(pool.checkedout() >= pool.size() + limit)
