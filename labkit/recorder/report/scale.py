"""The scale of a timeline: from microseconds to places on the paper, with ticks a person can read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Piece", "Scale"]

LONG = 0.2  # of the whole time: a gap this long may be squeezed
QUIET = 0.9  # of the whole time: only when the gaps are this much of it are they squeezed
BUSY = 4  # moments between two gaps, on average: with fewer there is room without squeezing
NARROW = 0.1  # of the paper, for a squeezed gap
_MS, _S, _MIN, _H = 1_000, 1_000_000, 60_000_000, 3_600_000_000
STEPS = [
    *(digit * 10**power for power in range(7) for digit in (1, 2, 5)),
    *(_S * step for step in (10, 20, 30)),
    *(_MIN * step for step in (1, 2, 5, 10, 20, 30)),
    *(_H * step for step in (1, 2, 6, 12, 24, 48, 168, 720, 8760)),
]


class Piece(NamedTuple):
    """A stretch of time, and the stretch of paper that it gets."""

    start: int
    end: int
    left: float
    right: float
    squeezed: bool


class Scale:
    """
    Gives each moment its place. Time runs evenly, but for long gaps in which nothing happens.

    Without that exception, two bursts with an hour between them would be two dots. `pieces` says what was squeezed.
    """

    def __init__(self, moments: Iterable[int], left: float, right: float) -> None:
        times = sorted(set(moments)) or [0]
        if times[0] == times[-1]:
            times.append(times[0] + 1)
        self.start, self.end = times[0], times[-1]
        self.pieces = list(_pieces(times, left, right))
        self._starts = [piece.start for piece in self.pieces]

    def __call__(self, moment: int) -> float:
        """Return the place of a moment; one outside the scale gets the nearest end."""
        piece = self.pieces[max(0, bisect_right(self._starts, moment) - 1)]
        share = (min(max(moment, piece.start), piece.end) - piece.start) / (piece.end - piece.start)
        return piece.left + share * (piece.right - piece.left)

    def squeezed(self) -> list[Piece]:
        """Return the pieces in which nothing happens, drawn shorter than they were."""
        return [piece for piece in self.pieces if piece.squeezed]

    def ticks(self, apart: float = 85) -> Iterator[tuple[float, str]]:
        """Return places and labels of round times, at least `apart` from each other."""
        piece = next(piece for piece in self.pieces if not piece.squeezed)
        per_unit = (piece.right - piece.left) / (piece.end - piece.start)
        step = next((step for step in STEPS if step * per_unit >= apart), STEPS[-1])
        taken = [(piece.left + piece.right) / 2 for piece in self.squeezed()]
        for piece in self.pieces:
            first = self.start - (self.start - piece.start) // step * step
            for tick in range(first, piece.end + 1, step) if not piece.squeezed else ():
                place = self(tick)
                if all(abs(place - other) >= apart * 0.7 for other in taken):
                    taken.append(place)
                    yield place, _label(tick - self.start, step)


def _pieces(times: list[int], left: float, right: float) -> Iterator[Piece]:
    whole = times[-1] - times[0]
    gaps = [(before, after) for before, after in pairwise(times) if after - before > LONG * whole]
    quiet = sum(after - before for before, after in gaps)
    if len(times) < BUSY * (len(gaps) + 1) or quiet <= QUIET * whole:
        gaps, quiet = [], 0
    narrow = NARROW * (right - left)
    per_unit = (right - left - narrow * len(gaps)) / (whole - quiet)
    at, paper = times[0], left
    for before, after in [*gaps, (times[-1], times[-1])]:
        if before > at:
            yield Piece(at, before, paper, paper + (before - at) * per_unit, False)
            paper += (before - at) * per_unit
        if after > before:
            yield Piece(before, after, paper, paper + narrow, True)
            paper += narrow
        at = after


def _label(time: int, step: int) -> str:
    if time < _S and step < _S:
        return f"{_round(time / _MS)} ms"
    if time < _MIN:
        return f"{_round(time / _S)} s"
    hours, minutes, seconds = time // _H, time // _MIN % 60, _round(time % _MIN / _S)
    if step >= _MIN:
        return f"{hours}:{minutes:02} h" if hours else f"{minutes} min"
    padded = seconds if len(seconds.partition(".")[0]) > 1 else f"0{seconds}"
    return f"{hours}:{minutes:02}:{padded}" if hours else f"{minutes}:{padded} min"


def _round(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")
