"""The outcome: all that came out of a scene, as a value that can be shown and compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Any

from labkit.scene.gate import is_silent_failure
from labkit.scene.happening import Happening, Kind

__all__ = ["Outcome"]

# A word stands beside each colour: the colour is never the only sign.
RED, YELLOW, GREEN, BLUE = "#dc322f", "#b58900", "#859900", "#268bd2"
COLOURS = {
    Kind.LOG: YELLOW,
    Kind.WARNING: YELLOW,
    Kind.UNRAISABLE: RED,
    Kind.EXCEPTION: RED,
    Kind.LOOP_CLOSED: BLUE,
}
WIDTH = 150


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
        """Return True if `words` came out anywhere, raised or not."""
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
        rows = [_happening_row(each) for each in self.happenings]
        rows += [_row("timed out", RED, escape(place)) for place in self.waiting if self.timed_out]
        if self.exception is None and not self.timed_out:
            rows.append(_row("result", GREEN, f"<code>{escape(repr(self.result))}</code>"))
        return f'<table style="border-collapse:collapse;text-align:left;margin:0">{"".join(rows)}</table>'


def _happening_row(happening: Happening) -> str:
    head = short_text(happening)
    said = f"{_code(happening.source)}{escape(head)}"
    # The whole text, with its traceback, is one click away.
    if happening.detail not in ("", head):
        said = f"<details><summary>{said}</summary>{_pre(happening.detail)}</details>"
    silent = happening.kind is not Kind.EXCEPTION and is_silent_failure(happening.text)
    return _row(f"{happening.kind}{', silent' if silent else ''}", COLOURS[happening.kind], said)


def short_text(happening: Happening) -> str:
    """Return the headline without the objects' addresses, which say nothing to a reader, and not too long."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", happening.headline)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1].rstrip()}…"


def _code(source: str) -> str:
    return f"<code>{escape(source)}</code> " if source else ""


def _pre(text: str) -> str:
    return f'<pre style="white-space:pre-wrap;margin:.3em 0 .6em">{escape(text)}</pre>'


def _row(kind: str, colour: str, said: str) -> str:
    cell = "padding:.25em .7em;text-align:left;vertical-align:top"
    return (
        f'<tr style="border-left:.3em solid {colour}">'
        f'<td style="{cell};white-space:nowrap"><b>{escape(kind)}</b></td>'
        f'<td style="{cell};white-space:normal">{said}</td></tr>'
    )
