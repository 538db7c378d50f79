"""The lines of the table: what is measured, in groups that can be asked for by name."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import recorder_memory as memory
from recorder_pairs import Compared, Operation, Ratio, Variant, compare
from recorder_traces import left, snapshot
from recorder_work import A_A, WORKS, Engines, detached_variants, orm, redis_variants, variants_of

from labkit.recorder import FlightRecorder

__all__ = ["GROUPS", "Asked", "Line", "child"]

NOISE = 0.1  # when the control alone may be off by half of this, it proves nothing
NAMES = {"pool": "recorded", "statements": "recorded, level statements"}
GOALS = {("ORM SELECT", "pool"): 1.05, ("ORM SELECT", "statements"): 1.25}


@dataclass(frozen=True)
class Line:
    """One line of the table; `margin` is how far the true figure may be from the measured one."""

    what: str
    measured: float
    unit: str = "x"
    goal: float | None = None
    margin: float = 0.0
    control: str = ""
    least: float | None = None
    """For what must be neither more nor less than the goal."""

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        low = self.least if self.least is not None else -float("inf")
        if self.least is not None and self.goal - self.least > NOISE:
            return "too noisy to say"
        if low <= self.measured <= self.goal:
            return "held"
        close = low - self.margin <= self.measured <= self.goal + self.margin
        return "within its margin" if close else "not held"


@dataclass(frozen=True)
class Asked:
    """How much is to be measured, and whom to tell of progress: `advance(part)`, with 1.0 for a whole group."""

    blocks: int
    seconds: float
    events: int
    checkouts: int
    advance: Callable[[float], object]


def measure(asked: Asked, variants: Callable[[Engines], list[Variant]]) -> list[Compared]:
    async def run() -> list[Compared]:
        async with _engines() as engines:
            made = variants(engines)
            return await compare(made, asked.blocks, asked.seconds, lambda: asked.advance(1 / asked.blocks))

    return asyncio.run(run())


def _engines() -> Engines:
    return Engines(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])


def two(what: str, compared: Compared, control: Compared, goal: float | None) -> Iterator[Line]:
    """Return a line for wall time and one for CPU time."""
    for time_of, found, same in (("wall", compared.wall, control.wall), ("CPU", compared.cpu, control.cpu)):
        yield Line(f"{what}: {time_of}", found.middle, "x", goal, found.margin, f"{same}")


def sql(work: str) -> Callable[[Asked], list[Line]]:
    def lines(asked: Asked) -> list[Line]:
        control, *others = measure(asked, lambda engines: variants_of(work, engines))
        assert control.variant == A_A
        table: list[Line] = []
        for other in others:
            name = f"{work}, {NAMES.get(other.variant, other.variant)}"
            table += two(name, other, control, GOALS.get((work, other.variant)))
            if other.variant == "pool":
                goal = 15.0 if work == "checkout + checkin" else None
                more = Line(
                    f"{name}: CPU more", other.more.middle, "µs", goal, other.more.margin, f"{control.more}"
                )
                table.append(more)
        return table

    return lines


def redis(asked: Asked) -> list[Line]:
    control, recorded = measure(asked, redis_variants)
    return list(two("Redis GET, recorded", recorded, control, 1.08))


def detached(asked: Asked) -> list[Line]:
    control, after = measure(asked, detached_variants)
    lines = []
    for time_of, found, same in (("wall", after.wall, control.wall), ("CPU", after.cpu, control.cpu)):
        room = abs(same.middle - 1) + same.margin
        what = f"ORM SELECT, detached after use: {time_of}"
        lines.append(Line(what, found.middle, "x", 1 + room, found.margin, f"{same}", least=1 - room))
    return [*lines, Line("what a stopped recorder leaves in the libraries", asyncio.run(_left()), "things", 0)]


async def _left() -> int:
    async with _engines() as engines:
        work = orm(engines.detached)
        await work(1)
        before = snapshot(engines.detached)
        for level in ("pool", "statements"):
            async with FlightRecorder(engines.detached, level=level):
                await work(1)
        return len(left(before, snapshot(engines.detached)))


def debug(asked: Asked) -> list[Line]:
    """asyncio's debug mode is a whole process's; three kinds of processes take turns."""
    rounds, took = 7, {"off": [], A_A: [], "debug": []}
    for _ in range(rounds):
        for kind, times in took.items():
            command = [sys.executable, sys.argv[0], "--child", kind]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            times.append([float(each) for each in printed.split()])
        asked.advance(1 / rounds)
    found, same = ([_ratio(took[kind], took["off"], at) for at in (0, 1)] for kind in ("debug", A_A))
    lines = zip(("wall", "CPU"), found, same, strict=True)
    return [
        Line(
            f"ORM SELECT, asyncio's debug mode (processes): {time_of}",
            one.middle,
            "x",
            None,
            one.margin,
            f"{other}",
        )
        for time_of, one, other in lines
    ]


def _ratio(took: list[list[float]], first: list[list[float]], at: int) -> Ratio:
    return Ratio.of(one[at] / other[at] for one, other in zip(took, first, strict=True))


def child(kind: str) -> None:
    """Print the wall and the CPU time of one process's work."""

    async def run() -> None:
        async with _engines() as engines:
            work: Operation = orm(engines.plain)
            for i in range(100):
                await work(i)
            wall, cpu = time.perf_counter(), time.process_time()
            for i in range(1000):
                await work(i)
            print(time.perf_counter() - wall, time.process_time() - cpu)

    asyncio.run(run(), debug=kind == "debug")


def event(asked: Asked) -> list[Line]:
    return [Line("one event with its stack (hooks alone, warm)", memory.one_event(), "ns", 3_000)]


def size(asked: Asked) -> list[Line]:
    steady, web = memory.bytes_per_event(100_000), memory.bytes_per_real_event(100_000)
    return [
        Line("an event in the ring, of a task that goes on", steady, "B", 150),
        Line("an event in the ring, each checkout by a session and task of its own", web, "B", 150),
    ]


def flat(asked: Asked) -> list[Line]:
    found = memory.flat(asked.events, lambda events: asked.advance(events / asked.events))
    return [Line(f"{found.events:,} events through the hooks: the process grows by", found.mebibytes, "MiB", 1.0)]


def flat_real(asked: Asked) -> list[Line]:
    seconds = 60 * asked.events / 10_000_000

    async def run() -> memory.Flat:
        async with _engines() as engines:
            return await memory.real(seconds, orm(engines.plain), lambda spent: asked.advance(spent / seconds))

    found = asyncio.run(run())
    what = f"{found.events:,} events of real ORM SELECTs in {found.seconds:.0f} s: the process grows by"
    return [Line(what, found.mebibytes, "MiB", 1.0)]


def alive(asked: Asked) -> list[Line]:
    loops, tasks = 100, 20
    each = max(1, asked.checkouts // (loops * tasks))
    done = loops * tasks * each
    kept = memory.kept_alive(loops, tasks, each, lambda checkouts: asked.advance(checkouts / done))
    what = f"{done:,} checkouts (pool without a server): {', '.join(kept)} kept alive"
    return [Line(what, sum(kept.values()), "things", 0)]


def report(asked: Asked) -> list[Line]:
    found = memory.report(20_000)
    parts = f"record {found.record:.3f}, findings {found.findings:.3f}, table {found.table:.3f}"
    return [
        Line(f"a report of {found.events:,} events ({parts})", found.seconds, "s", 0.5),
        Line("its timeline as SVG", found.svg / 1e6, "MB", 1.0),
    ]


GROUPS: dict[str, Callable[[Asked], list[Line]]] = {
    **{work: sql(work) for work in WORKS},
    "detached": detached,
    "Redis GET": redis,
    "asyncio debug": debug,
    "one event": event,
    "size": size,
    "flat": flat,
    "flat, real": flat_real,
    "kept alive": alive,
    "report": report,
}
