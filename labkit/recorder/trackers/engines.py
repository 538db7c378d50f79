"""What is known of engines: where each was made, how often at that line, and when it was disposed of."""

from __future__ import annotations

import itertools
import sys
import weakref
from typing import Any, NamedTuple

from labkit.recorder.attribution import owner_now
from labkit.recorder.ledger import Ledger
from labkit.recorder.model import Kind, Pool
from labkit.recorder.patching import guard
from labkit.recorder.stacks import NOWHERE
from labkit.recorder.trackers.targets import Targets

__all__ = ["EngineTracker", "Generation"]


class Generation(NamedTuple):
    """One of the pools that an engine has had; its number is never used for another pool."""

    pool: Pool
    number: int


class EngineTracker:
    """Keeps one entry for each engine; an engine has a new pool after each `dispose`, and still the same entry."""

    def __init__(self, ledger: Ledger, targets: Targets) -> None:
        self._ledger = ledger
        self.targets = targets
        self._engines: weakref.WeakKeyDictionary[Any, Pool] = weakref.WeakKeyDictionary()
        self._pools: weakref.WeakKeyDictionary[Any, Generation] = weakref.WeakKeyDictionary()
        self._generations = itertools.count(1)

    def made(self, engine: Any) -> None:
        """An engine was made by the user's line that is running now."""
        place = self._ledger.here()
        entry = self._entry(engine, place)
        # Two that are called by different names are not one that is built again.
        entry.maker = self._ledger.builder("engine", place, str(engine.url), engine.logging_name, entry.test)

    def attached(self, engine: Any) -> None:
        """An engine that was there already is watched from now on."""
        if engine not in self._engines:
            self._entry(engine, NOWHERE)
        elif engine.pool not in self._pools:
            self._adopt(engine.pool, self._engines[engine])

    def _entry(self, engine: Any, place: int) -> Pool:
        kind = f"{engine.dialect.name}+{engine.dialect.driver}"
        url = engine.url.set(query={}).render_as_string(hide_password=True)  # a query may hold a password too
        entry = self._new(kind, url, place)
        self._engines[engine] = entry
        self._adopt(engine.pool, entry)
        return entry

    def _adopt(self, pool: Any, entry: Pool) -> Generation:
        generation = self._pools[pool] = Generation(entry, next(self._generations))
        # A pool that is collected takes its idle connections with it, and SQLAlchemy says nothing.
        weakref.finalize(pool, self._dropped, weakref.ref(self), generation).atexit = False
        return generation

    def generation(self, pool: Any) -> Generation | None:
        """Return which engine a pool belongs to; None when this recorder doesn't watch it."""
        if not self.targets.wants_pool(pool):
            return None
        return self._pools.get(pool) or self._adopt(pool, self._unknown(pool))

    def _unknown(self, pool: Any) -> Pool:
        """Note a pool whose engine was made before the recorder began."""
        kind = f"{pool._dialect.name}+{pool._dialect.driver}"
        return self._new(kind, kind, NOWHERE)

    def _new(self, kind: str, url: str, place: int) -> Pool:
        ledger = self._ledger
        return Pool(ledger.number(Pool), kind, url, place, made=ledger.now(), test=owner_now(), pid=ledger.pid)

    def disposed(self, engine: Any) -> None:
        """An engine was disposed of, and has a new pool."""
        entry = self._engines.get(engine)
        if entry is None:
            return
        entry.disposed = self._ledger.now()
        if engine.pool not in self._pools:
            self._adopt(engine.pool, entry)
        if self.targets.wants_pool(engine.pool):
            self._ledger.mark("disposed", pool=entry, task=self._ledger.task(), place=self._ledger.here())

    @staticmethod
    def _dropped(tracker: weakref.ref[EngineTracker], generation: Generation) -> None:
        self = tracker()
        if self is None or not self._ledger.recording or sys.is_finalizing():
            return
        with guard("pool_dropped", self._ledger):
            self._drop(generation)

    def _drop(self, generation: Generation) -> None:
        ledger = self._ledger
        held = {checkout.connection.number for checkout in list(ledger.out.values())}
        for connection in list(ledger.connections.values()):
            if connection.generation == generation.number and connection.number not in held:
                connection.closed, connection.end = ledger.now(), "dropped"
                ledger.connections.pop(connection.number, None)
                ledger.incident(Kind.DROPPED, connection.pool.place, connection=connection, pool=connection.pool)
