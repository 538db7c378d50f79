"""A sequencer keeps its order, whatever the loop would rather do."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from labkit.contract import Sequencer, sequencer
from labkit.contract.sequencer import sequencers


@pytest.mark.parametrize("started", list(itertools.permutations("abc")))
async def test_points_are_passed_in_their_order_whoever_starts_first(started: tuple[str, ...]) -> None:
    points = sequencer("a", "b", "c")
    passed: list[str] = []

    async def go(point: str) -> None:
        await points.reach(point)
        passed.append(point)

    await asyncio.gather(*map(go, started))

    assert passed == ["a", "b", "c"]


async def test_a_point_waits_for_the_one_before_it() -> None:
    points = Sequencer("first", "second")
    second = asyncio.create_task(points.reach("second"))
    await asyncio.sleep(0)

    assert not points.has_passed("second")
    assert not second.done()

    await points.reach("first")
    await second

    assert points.has_passed("first")
    assert points.has_passed("second")


async def test_a_task_that_is_cancelled_while_it_waits_passes_nothing() -> None:
    points = Sequencer("first", "second")
    second = asyncio.create_task(points.reach("second"))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])

    assert not points.has_passed("second")


async def test_who_fails_lets_everybody_go_on() -> None:
    points = Sequencer("first", "second", "third")
    waiting = [asyncio.create_task(points.reach(point)) for point in ("second", "third")]
    await asyncio.sleep(0)
    with pytest.raises(LookupError), points:
        raise LookupError
    await asyncio.wait_for(asyncio.gather(*waiting), timeout=5)


async def test_who_has_done_its_part_keeps_the_order() -> None:
    points = Sequencer("first", "second", "third")
    with points:
        await points.reach("first")

    assert not points.has_passed("second")


def test_a_point_is_passed_once() -> None:
    with pytest.raises(AssertionError):
        Sequencer("twice", "twice")


def test_another_maker_can_be_put_in_its_place() -> None:
    made: list[tuple[str, ...]] = []

    class Kept(Sequencer):
        def __init__(self, *order: str) -> None:
            super().__init__(*order)
            made.append(order)

    token = sequencers.set(Kept)
    try:
        assert isinstance(sequencer("a", "b"), Kept)
    finally:
        sequencers.reset(token)
    assert made == [("a", "b")]
