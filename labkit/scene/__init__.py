"""A scene: async code played on its own loop that closes, with all that comes out of it."""

from __future__ import annotations

from labkit.scene.gate import SILENT_FAILURES, is_silent_failure, silent_failures
from labkit.scene.happening import Happening, Kind
from labkit.scene.outcome import Outcome
from labkit.scene.play import private_loop

__all__ = [
    "SILENT_FAILURES",
    "Happening",
    "Kind",
    "Outcome",
    "is_silent_failure",
    "private_loop",
    "silent_failures",
]
