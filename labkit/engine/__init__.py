"""The corrected engine: models, sessions, cache and bus behind one facade."""

from __future__ import annotations

from labkit.engine.bus import Notification, Outgoing, Subscription
from labkit.engine.cached import Engine
from labkit.engine.connections import check_answer
from labkit.engine.core import CoreEngine, Task
from labkit.engine.keys import Key
from labkit.engine.models import Base, Message, Room, User, UTCDateTime
from labkit.engine.redis import OptionalRedis
from labkit.engine.rows import Values, select_by
from labkit.engine.statistics import EngineStatistics

__all__ = [
    "Base",
    "CoreEngine",
    "Engine",
    "EngineStatistics",
    "Key",
    "Message",
    "Notification",
    "OptionalRedis",
    "Outgoing",
    "Room",
    "Subscription",
    "Task",
    "UTCDateTime",
    "User",
    "Values",
    "check_answer",
    "select_by",
]
