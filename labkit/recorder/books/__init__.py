"""The books: what each kind of hook means, written into the ledger. `Books` holds one of each."""

from __future__ import annotations

from labkit.recorder.books.engines import EngineBook
from labkit.recorder.books.loops import LoopBook
from labkit.recorder.books.pools import PoolBook
from labkit.recorder.books.redis import RedisBook
from labkit.recorder.books.sessions import SessionBook
from labkit.recorder.books.targets import Targets
from labkit.recorder.ledger import Ledger

__all__ = ["Books"]


class Books:
    """Everything that one recorder writes, by subject; all of it ends in one ledger."""

    def __init__(self, ledger: Ledger, targets: Targets) -> None:
        self.ledger = ledger
        self.engines = EngineBook(ledger, targets)
        self.sessions = SessionBook(ledger, targets)
        self.pools = PoolBook(ledger, self.engines, self.sessions)
        self.redis = RedisBook(ledger, targets)
        self.loops = LoopBook(ledger, self.sessions)

    def forked(self) -> None:
        """Begin anew in a forked child."""
        self.ledger.forked()
        self.pools.forked()
        self.redis.forked()
