"""Happenings: what comes out of a program besides its result, one after the other."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Happening", "Kind"]


class Kind(enum.StrEnum):
    """The way by which something came out."""

    LOG = "log"
    WARNING = "warning"
    UNRAISABLE = "unraisable"  # raised where no code can catch it: in a finaliser
    EXCEPTION = "exception"  # raised to the caller
    LOOP_CLOSED = "loop closed"


@dataclass(frozen=True)
class Happening:
    """
    One thing that came out of a scene.

    `source` is the logger, the warning's class or the exception's class; `detail` the whole text with its
    traceback. `loop_closed` says whether the scene's event loop was closed by then.
    """

    kind: Kind
    text: str
    source: str = ""
    detail: str = ""
    loop_closed: bool = False

    def __str__(self) -> str:
        return f"{self.kind:<11} {self.source + ': ' if self.source else ''}{self.headline}"

    @property
    def headline(self) -> str:
        """Return the first line of the text."""
        return self.text.partition("\n")[0]

    def says(self, words: str) -> bool:
        """Return True if `words` stand in the text or in its detail."""
        return words in self.text or words in self.detail
