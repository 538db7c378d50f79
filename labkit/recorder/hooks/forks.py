"""
Forks: a child begins its own history, and keeps the knowledge of which connections are its parent's.

What it has inherited is left alone by its garbage collector from then on.
"""

from __future__ import annotations

import gc
import os
from typing import Any

from labkit.recorder.patching import active, hook

__all__ = ["install", "remove"]

_registered = False


def install() -> None:
    """Hear of forks. A hook for forks can't be taken off; without a recorder it does nothing."""
    global _registered
    if not _registered and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_in_child)
        _registered = True


def remove() -> None:
    """Nothing to take off: see `install`."""


def _in_child() -> None:
    if active():
        # What the recorder takes in memory lets the collector come sooner. It must not come to a connection of the
        # parent's that the child has let go of: aiomysql's finaliser would take its socket out of the event loop,
        # whose epoll the parent still waits on.
        gc.freeze()
        forked()


@hook
def forked(trackers: Any) -> None:
    trackers.forked()
