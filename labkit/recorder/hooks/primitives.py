"""Locks, events, queues: bound to the first loop in which a task had to wait for them."""

from __future__ import annotations

import functools
import sys
from asyncio import mixins
from typing import Any

from labkit.recorder.model import Kind
from labkit.recorder.patching import Patches, hook
from labkit.recorder.stacks import is_library

__all__ = ["install", "remove"]

_patches = Patches()


def install() -> None:
    """Hear of a primitive that is waited for in a second loop."""
    _patches.wrap(mixins._LoopBoundMixin, "_get_loop", _get_loop)


remove = _patches.remove


@hook
def primitive_crossed(trackers: Any, primitive: Any, frame: Any) -> None:
    frame = _user_of_the_primitive(frame)
    if frame is not None:
        name = type(primitive).__name__
        trackers.ledger.incident(Kind.PRIMITIVE_CROSSED_LOOPS, trackers.ledger.here(frame), text=name)


def _get_loop(original: Any) -> Any:
    @functools.wraps(original)
    def _get_loop(self: Any) -> Any:
        try:
            return original(self)
        except RuntimeError:
            primitive_crossed(self, sys._getframe(1))
            raise

    return _get_loop


def _user_of_the_primitive(frame: Any) -> Any:
    """Return the first frame outside asyncio, if it is the user's: a library's own lock is not the user's."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("asyncio."):
        frame = frame.f_back
    return frame if frame is not None and not is_library(frame.f_code.co_filename) else None
