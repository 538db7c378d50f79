"""The scale keeps the order of time, and its ticks can be read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.recorder.report.scale import Scale

from ..records import MS, SECOND

moments = st.lists(st.integers(0, 10**13), min_size=1, max_size=40)


@settings(derandomize=True, deadline=None)
@given(moments)
def test_the_order_of_time_is_kept_within_the_paper(times: list[int]) -> None:
    scale = Scale(times, 100, 900)
    places = [scale(time) for time in sorted(times)]

    assert all(before <= after + 1e-6 for before, after in pairwise(places))
    assert min(places) >= 100 - 1e-6
    assert max(places) <= 900 + 1e-6


@settings(derandomize=True, deadline=None)
@given(moments)
def test_ticks_are_on_the_paper_apart_from_each_other_and_not_too_many(times: list[int]) -> None:
    ticks = list(Scale(times, 100, 900).ticks())
    places = [place for place, _ in ticks]

    assert all(100 - 1e-6 <= place <= 900 + 1e-6 for place in places)
    assert all(abs(after - before) >= 59 for before, after in pairwise(sorted(places)))
    assert len(ticks) <= 15


@pytest.mark.parametrize(
    ("end", "labels"),
    [
        (74 * MS, ["0 ms", "10 ms", "20 ms"]),
        (300, ["0 ms", "0.05 ms", "0.1 ms"]),
        (3_200 * MS, ["0 ms", "500 ms", "1 s"]),
        (40 * SECOND, ["0 s", "5 s", "10 s"]),
        (200 * SECOND, ["0 s", "30 s", "1:00 min", "1:30 min"]),
        (3_000 * SECOND, ["0 s", "10 min", "20 min"]),
        (20_000 * SECOND, ["0 s", "1:00 h", "2:00 h"]),
    ],
    ids=str,
)
def test_ticks_are_round_and_say_their_unit(end: int, labels: list[str]) -> None:
    shown = [label for _, label in Scale([0, end], 172, 980).ticks()]

    assert shown[: len(labels)] == labels


def test_a_long_silence_between_two_bursts_is_squeezed_and_known() -> None:
    hour = 3_600 * SECOND
    scale = Scale([*range(0, 41 * MS, 5 * MS), hour, hour + 30 * MS], 0, 1_000)

    [piece] = scale.squeezed()
    assert (piece.start, piece.end) == (40 * MS, hour)
    assert scale(40 * MS) - scale(0) > 400
    assert piece.right - piece.left == pytest.approx(100)


def test_an_ordinary_silence_keeps_its_length() -> None:
    scale = Scale([0, 1, 2, 3, 800, 1_000], 0, 1_000)

    assert scale.squeezed() == []
    assert scale(500) == pytest.approx(500)


def test_a_single_moment_has_a_scale() -> None:
    assert Scale([5], 0, 10)(5) == 0
    assert Scale([], 0, 10)(0) == 0
