"""Paired comparisons: the same work with and without something, in one process, in blocks that take turns."""

from __future__ import annotations

import contextlib
import gc
import math
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass

__all__ = ["Compared", "Operation", "Ratio", "Variant", "compare", "during"]

Operation = Callable[[int], Awaitable[object]]
Switch = Callable[[], AbstractAsyncContextManager[object]]


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


def during(make: Callable[[], AbstractContextManager[object]]) -> Switch:
    """Return a switch that is on for a block, from a context manager that is not async."""

    @asynccontextmanager
    async def switch() -> AsyncIterator[None]:
        with make():
            yield

    return switch


@dataclass(frozen=True)
class Variant:
    """One way of doing the work; the first of several is the one that the others are compared with."""

    name: str
    operation: Operation
    switch: Switch = _nothing


@dataclass(frozen=True)
class Ratio:
    """The median of the rounds' own ratios, and how far from it the true one may be, 19 times in 20."""

    middle: float
    margin: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Ratio:
        kept = sorted(values)
        low, middle, high = statistics.quantiles(kept, n=4) if len(kept) > 1 else kept * 3
        return cls(middle, 1.82 * (high - low) / math.sqrt(len(kept)))

    def __str__(self) -> str:
        return f"{self.middle:.3f} ±{self.margin:.3f}"


@dataclass(frozen=True)
class Compared:
    """One variant beside the first; `more` is CPU time an operation, in microseconds."""

    variant: str
    wall: Ratio
    cpu: Ratio
    more: Ratio
    alone: float
    """Wall time of one operation of the first variant, in microseconds."""


@dataclass(frozen=True)
class Took:
    """One block; seconds an operation."""

    wall: float
    cpu: float


async def block(variant: Variant, count: int) -> Took:
    """Run one block of operations, with the variant's switch on."""
    async with variant.switch():
        cpu, wall = time.process_time(), time.perf_counter()
        for i in range(count):
            await variant.operation(i)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Took(wall / count, cpu / count)


async def compare(
    variants: list[Variant], blocks: int, seconds: float, advance: Callable[[], object]
) -> list[Compared]:
    """
    Return every variant beside the first.

    In each round every variant runs one block, in an order that changes, so that a slow moment hits all of them.
    """
    for variant in variants:
        await block(variant, 20)
    count = max(5, round(seconds / (await block(variants[0], 50)).wall))
    took: dict[str, list[Took]] = {variant.name: [] for variant in variants}
    order = list(variants)
    with _quiet_collector():
        for _ in range(blocks):
            random.shuffle(order)
            for variant in order:
                took[variant.name].append(await block(variant, count))
            advance()
    first = took[variants[0].name]
    return [_compared(variant.name, took[variant.name], first) for variant in variants[1:]]


@contextlib.contextmanager
def _quiet_collector() -> Iterator[None]:
    """What was there before the blocks is no work for the garbage collector during them."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _compared(name: str, took: list[Took], first: list[Took]) -> Compared:
    pairs = list(zip(took, first, strict=True))
    return Compared(
        name,
        wall=Ratio.of(one.wall / other.wall for one, other in pairs),
        cpu=Ratio.of(one.cpu / other.cpu for one, other in pairs),
        more=Ratio.of(1e6 * (one.cpu - other.cpu) for one, other in pairs),
        alone=1e6 * statistics.median(other.wall for other in first),
    )
