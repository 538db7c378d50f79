"""No order of steps and faults gives a reader an old row; without any part of the protocol one does."""

from __future__ import annotations

import pytest

from .cache_model import PARTS, explore


@pytest.mark.push
@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_the_protocol_is_needed(part: str) -> None:
    assert explore(without=part, faults=1)[2] != []


@pytest.mark.full
@pytest.mark.timeout(900)  # with coverage, and others beside it
def test_no_state_is_bad() -> None:
    """Half a minute: other tests meet one order of steps, this one meets all, with a fault at each of them."""
    states, taken, way = explore(faults=1)

    assert way == []
    assert states > 100_000
    assert {"reader 0 joins a read", "writer 1 dies", "Redis restarts empty"} <= taken.keys()
