"""What is known of Redis connections: leases for single commands, and those that pub/sub keeps."""

from __future__ import annotations

import weakref
from types import FrameType
from typing import Any

from labkit.recorder.attribution import owner_now
from labkit.recorder.ledger import Ledger
from labkit.recorder.model import Checkout, Connection, Kind, Pool, Task
from labkit.recorder.stacks import NOWHERE
from labkit.recorder.trackers.targets import Targets

__all__ = ["RedisTracker"]


class RedisTracker:
    """
    Follows the connections of `redis.asyncio` pools.

    A pool holds its leased connections strongly, so a forgotten one is never collected: what is out when its loop
    ends is lost. A connection object may connect anew; each time it does, it is another connection.
    """

    def __init__(self, ledger: Ledger, targets: Targets) -> None:
        self._ledger = ledger
        self._targets = targets
        self._pools: weakref.WeakKeyDictionary[Any, Pool] = weakref.WeakKeyDictionary()
        self._attribute = f"_{ledger.key}"  # under which a connection's entry is found on the connection
        self._leases: dict[int, Checkout] = {}  # by connection

    def pool_made(self, pool: Any) -> None:
        """A client's pool was made by the user's line that is running now."""
        self._pool(pool, self._ledger.here())

    def attached(self, pool: Any) -> None:
        """A pool that was there already is watched from now on."""
        self._pool(pool, NOWHERE)

    def _pool(self, pool: Any, place: int) -> Pool:
        entry = self._pools.get(pool)
        if entry is None:
            number, made = self._ledger.number(Pool), self._ledger.now()
            entry = Pool(number, "redis", _url(pool), place, made, test=owner_now(), pid=self._ledger.pid)
            self._pools[pool] = entry
        return entry

    def leased(self, pool: Any, connection: Any, frame: FrameType) -> None:
        """A pool gave a connection out, to the code that led to `frame`."""
        if not self._targets.everything and not self._targets.wants_redis(pool):
            return
        ledger = self._ledger
        entry = getattr(connection, self._attribute, None)
        if entry is None or entry.closed is not None:
            entry = self._open(pool, connection)
        checkout = self._leases[entry.number] = ledger.begin(entry, ledger.here(frame))
        if entry.pid != ledger.pid:
            ledger.incident(Kind.CROSSED_FORK, checkout.place, checkout=checkout, connection=entry, pool=entry.pool)
        elif _elsewhere(entry, checkout.task):
            ledger.incident(
                Kind.CROSSED_LOOPS, checkout.place, checkout=checkout, connection=entry, pool=entry.pool
            )

    def _open(self, pool: Any, connection: Any) -> Connection:
        ledger, task = self._ledger, self._ledger.task()
        entry = Connection(
            ledger.number(Connection),
            pool=self._pool(pool, NOWHERE),
            task=task,
            pid=ledger.pid,
            opened=ledger.now(),
            place=ledger.here(),
            generation=0,  # not one of an engine's pools
        )
        setattr(connection, self._attribute, entry)
        ledger.connections[entry.number] = entry
        ledger.counts.opened += 1
        ledger.mark("opened", connection=entry, task=task, place=entry.place)
        return entry

    def released(self, connection: Any) -> None:
        """A connection came back to its pool."""
        entry = getattr(connection, self._attribute, None)
        lease = self._leases.pop(entry.number, None) if entry is not None else None
        if lease is not None:
            self._ledger.end(lease, "returned", self._ledger.task())

    def disconnected(self, connection: Any) -> None:
        """A connection was closed; its object may connect again."""
        entry = getattr(connection, self._attribute, None)
        if entry is None or entry.closed is not None:
            return
        entry.closed, entry.end = self._ledger.now(), "closed"
        self._ledger.connections.pop(entry.number, None)
        self._ledger.counts.closed += 1
        self._ledger.mark("closed", connection=entry)

    def forked(self) -> None:
        """What is leased is the parent's."""
        self._leases.clear()


def _elsewhere(entry: Connection, task: Task) -> bool:
    born = entry.task.loop
    return born is not task.loop and born is not None and task.loop is not None


def _url(pool: Any) -> str:
    """Return where a pool connects to, without user and password."""
    kwargs = pool.connection_kwargs
    if "path" in kwargs:
        return f"unix://{kwargs['path']}"
    return f"redis://{kwargs.get('host', 'localhost')}:{kwargs.get('port', 6379)}/{kwargs.get('db') or 0}"
