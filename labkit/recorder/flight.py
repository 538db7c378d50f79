"""The flight recorder: attach it, let the program run, and ask who holds what."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from labkit.errors import InvalidInput, InvalidSetting
from labkit.recorder import hooks, json_format, patching
from labkit.recorder.finding import Finding
from labkit.recorder.hooks import loops, statements
from labkit.recorder.ledger import Ledger
from labkit.recorder.model import Checkout, Kind
from labkit.recorder.rules import find
from labkit.recorder.snapshot import Event, Record, take
from labkit.recorder.trackers import Trackers
from labkit.recorder.trackers.targets import Targets

if TYPE_CHECKING:
    from labkit.recorder.report import Table, Timeline

__all__ = ["EVENTS", "FlightRecorder", "FlightStatistics", "Level"]

EVENTS = 20_000

Level = Literal["pool", "statements"]

_starting = threading.RLock()  # taken while a recorder starts or stops, and in no hook


@dataclass(frozen=True, slots=True)
class FlightStatistics:
    """Counts since the recorder began."""

    checkouts: int
    checkins: int
    out: int
    opened: int
    closed: int
    open: int
    waits: int
    incidents: int
    forgotten: int
    faults: int


class FlightRecorder:
    """
    Record who holds a connection, on which loop, for which task.

    Without targets it records every engine and Redis client of the process, those that exist and those to come;
    with targets, only those: `FlightRecorder(engine, redis_client)`. Use it as a context manager, sync or async, or
    with `start()` and `stop()`. Starting what is started, and stopping what is stopped, does nothing. After `stop`
    the record stays readable.

    `level="statements"` also times each statement; the text and the parameters of statements are never recorded.
    `events` bounds the history: checkouts that have not ended, and what went wrong, are kept apart from it.

    Raises InvalidSetting for a level or a number of events that can't be, InvalidInput for a target that is neither
    an engine nor a Redis client.
    """

    def __init__(self, *targets: Any, level: Level = "pool", events: int = EVENTS) -> None:
        if level not in ("pool", "statements"):
            raise InvalidSetting(f"there is no level {level!r}.", remedy='Choose "pool" or "statements".')
        if not isinstance(events, int) or events < 2:
            raise InvalidSetting(f"a recorder can't keep {events} events.", remedy="Give it room for 2 or more.")
        self._ledger = Ledger(events, level)
        self._ledger.met_loop = loops.met
        self._targets = Targets()
        self._trackers = Trackers(self._ledger, self._targets)
        self._ended = False
        for target in targets:
            self.attach(target)

    def __repr__(self) -> str:
        counts = self.statistics()
        words = f"{counts.checkouts} checkouts, {counts.out} out, {counts.incidents} incidents"
        return f"<FlightRecorder {'recording' if self._ledger.recording else 'stopped'}: {words}>"

    # Recording.

    def start(self) -> Self:
        """Record from now on."""
        with _starting:
            if not self._ledger.recording:
                self._ledger.recording = True
                if patching.activate(self._trackers):
                    hooks.install()
                if self._ledger.level == "statements":
                    statements.install()
        return self

    def stop(self) -> None:
        """Record no more; what was recorded stays."""
        with _starting:
            if self._ledger.recording:
                self._ledger.recording = False
                if self._ledger.level == "statements":
                    statements.remove()
                if patching.deactivate(self._trackers):
                    hooks.remove()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def attach(self, target: Any) -> bool:
        """
        Record this engine (async or sync) or Redis client, and only what was attached; return True if it is new.

        May be called from any thread, before or after `start`.
        """
        kind, thing = _target(target)
        new = self._targets.add(kind, thing)
        if kind == "engine":
            self._trackers.engines.attached(thing)
        else:
            self._trackers.redis.attached(thing)
        return new

    def detach(self, target: Any) -> bool:
        """Record this engine or Redis client no more; return True if it was attached. What is known of it stays."""
        kind, thing = _target(target)
        return self._targets.discard(kind, thing)

    def finish(self) -> None:
        """Judge what is still held, once: the program has come to its end, and nothing will be given back."""
        if not self._ended:
            self._ended = True
            self._trackers.loops.judge(None, Kind.HELD_AT_EXIT, Kind.IDLE_AT_EXIT)

    # Reading.

    def record(self) -> Record:
        """Return everything known now; see `labkit.recorder.snapshot`."""
        return take(self._ledger, ended=self._ended)

    def findings(self) -> list[Finding]:
        """Return what is wrong, root causes first."""
        return find(self.record())

    def holders(self) -> list[Checkout]:
        """Return the checkouts that have not ended, the oldest first."""
        return self.record().holders()

    @property
    def events(self) -> list[Event]:
        """The history, in the order of time."""
        return self.record().events()

    def statistics(self) -> FlightStatistics:
        """Return counts since the recorder began."""
        ledger, counts = self._ledger, self._ledger.counts
        return FlightStatistics(
            checkouts=counts.checkouts,
            checkins=counts.checkins,
            out=len(ledger.out),
            opened=counts.opened,
            closed=counts.closed,
            open=len(ledger.connections),
            waits=counts.waits,
            incidents=sum(counts.by_kind.values()),
            forgotten=counts.forgotten,
            faults=len(ledger.faults),
        )

    # Views; imported when they are needed, since a program that only records does not need Rich.

    def table(self) -> Table:
        """Return every checkout as a table: who, where, when, how it ended."""
        from labkit.recorder.report import table

        return table(self.record())

    def timeline(self) -> Timeline:
        """Return the picture: a lane for each connection, a bar for each checkout."""
        from labkit.recorder.report import timeline

        return timeline(self.record())

    def report(self, width: int = 100) -> str:
        """Return the findings in words, for a terminal."""
        from labkit.recorder.report import report_text

        record = self.record()
        return report_text(record, find(record), width)

    def to_trace(self) -> str:
        """Return the record as a trace that https://ui.perfetto.dev opens."""
        from labkit.recorder.report import trace

        return trace(self.record())

    def _repr_html_(self) -> str:
        from labkit.recorder.report import html

        record = self.record()
        return html(record, find(record))

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the record as JSON; `labkit.recorder.json_format` describes and reads it."""
        return json_format.dump(self.record(), indent=indent)


def _target(target: Any) -> tuple[Literal["engine", "redis"], Any]:
    engine = getattr(target, "sync_engine", target)
    engine = getattr(engine, "_proxied", engine)  # that of `execution_options` may soon be gone
    if hasattr(engine, "pool") and hasattr(engine, "dialect"):
        return "engine", engine
    pool = getattr(target, "connection_pool", target)
    if hasattr(pool, "get_available_connection"):
        return "redis", pool
    raise InvalidInput(
        f"a {type(target).__name__} can't be recorded.",
        remedy="Attach an engine of SQLAlchemy or a client of redis.asyncio.",
    )
