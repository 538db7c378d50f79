"""The outcome: all that came out of a scene, as a value that can be shown and compared."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from labkit.scene.gate import is_silent_failure
from labkit.scene.happening import Happening, Kind

__all__ = ["Outcome"]

# A letter and a word beside each colour: the colour is never the only sign.
COLOURS = {
    Kind.LOG: "#b58900",
    Kind.WARNING: "#b58900",
    Kind.UNRAISABLE: "#dc322f",
    Kind.EXCEPTION: "#dc322f",
    Kind.LOOP_CLOSED: "#268bd2",
}


@dataclass(frozen=True)
class Outcome:
    """
    What a scene gave back, and what came out besides.

    `happenings` stand in the order in which they came. `timed_out` says that the scene was stopped, and
    `waiting` where each of its tasks was waiting then.
    """

    result: Any = None
    exception: BaseException | None = None
    happenings: tuple[Happening, ...] = ()
    seconds: float = 0.0
    timed_out: bool = False
    waiting: tuple[str, ...] = ()

    def says(self, words: str) -> bool:
        """Say whether `words` came out anywhere, raised or not."""
        return any(happening.says(words) for happening in self.happenings)

    def of(self, *kinds: Kind) -> tuple[Happening, ...]:
        """Return the happenings of these kinds."""
        return tuple(happening for happening in self.happenings if happening.kind in kinds)

    @property
    def silent_failures(self) -> tuple[Happening, ...]:
        """Return what went wrong without any caller being told."""
        return tuple(
            each for each in self.happenings if each.kind is not Kind.EXCEPTION and is_silent_failure(each.text)
        )

    def get(self) -> Any:
        """Return the result, or raise the exception that ended the scene."""
        if self.exception is not None:
            raise self.exception
        return self.result

    def __str__(self) -> str:
        return "\n".join([*map(str, self.happenings), *self._ending()])

    def _ending(self) -> list[str]:
        if self.timed_out:
            return ["timed out   " + "; ".join(self.waiting)]
        return [] if self.exception is not None else [f"result      {self.result!r}"]

    def _repr_html_(self) -> str:
        # Every text may hold what a stranger wrote: a task named <script> stays text.
        rows = [_row(each.kind, COLOURS[each.kind], each.source, each.headline) for each in self.happenings]
        rows += [_row("timed out", "#dc322f", "", place) for place in self.waiting if self.timed_out]
        if self.exception is None and not self.timed_out:
            rows.append(_row("result", "#859900", "", repr(self.result)))
        return f'<table style="border-collapse:collapse;text-align:left">{"".join(rows)}</table>'


def _row(kind: str, colour: str, source: str, text: str) -> str:
    cell = "padding:.15em .7em;text-align:left;vertical-align:top"
    return (
        f'<tr style="border-left:.3em solid {colour}"><td style="{cell}"><b>{escape(kind)}</b></td>'
        f'<td style="{cell}"><code>{escape(source)}</code></td><td style="{cell}">{escape(text)}</td></tr>'
    )
