"""The sequencer: tasks pass their points in one order, every time, whatever the loop would rather do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

__all__ = ["Sequencer", "sequencer", "sequencers"]


class Sequencer:
    """
    Points on the way of several tasks, in the order in which they are passed.

        points = sequencer("Ada has written", "Bob reads", "Ada commits")
        await points.reach("Bob reads")

    A task that reaches a point waits until all points before it have been passed. So order comes from what the
    tasks do, and never from sleeping. A point that no task reaches is found out by the time limit of the clause.

    A task whose points others wait for where no cancellation reaches them, in a commit for example, does its part
    `with points:`. When it fails the order is given up, and everybody goes on.
    """

    def __init__(self, *order: str) -> None:
        assert len(set(order)) == len(order), "a point is passed once"
        self.order = order
        self._passed = {point: asyncio.Event() for point in order}

    async def reach(self, point: str) -> None:
        """Wait for one's turn, and let the next one go on."""
        place = self.order.index(point)
        if place:
            await self._passed[self.order[place - 1]].wait()
        self._passed[point].set()

    def give_up(self) -> None:
        """Let everybody go on, in any order."""
        for passed in self._passed.values():
            passed.set()

    def __enter__(self) -> Sequencer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.give_up()

    def has_passed(self, point: str) -> bool:
        """Return True if a point has been passed."""
        return self._passed[point].is_set()


# Who makes sequencers: a learner who schedules by hand puts another maker here.
sequencers: ContextVar[Callable[..., Sequencer]] = ContextVar("labkit_sequencers", default=Sequencer)


def sequencer(*order: str) -> Sequencer:
    """Return a sequencer for these points."""
    return sequencers.get()(*order)
