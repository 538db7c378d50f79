"""The trackers: what each kind of event means, written into the ledger. `Trackers` holds one of each."""

from __future__ import annotations

from labkit.recorder.ledger import Ledger
from labkit.recorder.trackers.engines import EngineTracker
from labkit.recorder.trackers.loops import LoopTracker
from labkit.recorder.trackers.pools import PoolTracker
from labkit.recorder.trackers.redis import RedisTracker
from labkit.recorder.trackers.sessions import SessionTracker
from labkit.recorder.trackers.targets import Targets

__all__ = ["Trackers"]


class Trackers:
    """Everything that one recorder writes, by subject; all of it ends in one ledger."""

    def __init__(self, ledger: Ledger, targets: Targets) -> None:
        self.ledger = ledger
        self.engines = EngineTracker(ledger, targets)
        self.sessions = SessionTracker(ledger, targets)
        self.pools = PoolTracker(ledger, self.engines, self.sessions)
        self.redis = RedisTracker(ledger, targets)
        self.loops = LoopTracker(ledger, self.sessions)

    def forked(self) -> None:
        """Begin anew in a forked child."""
        self.ledger.forked()
        self.pools.forked()
        self.redis.forked()
