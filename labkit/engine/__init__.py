"""The corrected engine: models, sessions, cache and bus behind one facade."""

from __future__ import annotations

from labkit.engine.bus import Notification, Subscription
from labkit.engine.engine import Engine
from labkit.engine.models import Base, Message, Room, User, UTCDateTime
from labkit.engine.statistics import EngineStatistics

__all__ = [
    "Base",
    "Engine",
    "EngineStatistics",
    "Message",
    "Notification",
    "Room",
    "Subscription",
    "UTCDateTime",
    "User",
]
