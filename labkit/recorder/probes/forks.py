"""Forks: a child begins its own history, and keeps the knowledge of which connections are its parent's."""

from __future__ import annotations

import os
from typing import Any

from labkit.recorder.taps import tap

__all__ = ["install", "remove"]

_registered = False


def install() -> None:
    """Hear of forks. A hook for forks can't be taken off; without a recorder it does nothing."""
    global _registered
    if not _registered and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forked)
        _registered = True


def remove() -> None:
    """Nothing to take off: see `install`."""


@tap
def forked(books: Any) -> None:
    books.forked()
