"""What a timeline shows, before it is drawn: a lane for each connection, with bars and signs in microseconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from labkit.recorder.model import Checkout, Connection, Incident, Pool, Task
from labkit.recorder.report.markers import Sign, signs_of
from labkit.recorder.sanitize import clip
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import (
    connection_name,
    count,
    duration,
    ending,
    held_for,
    is_redis,
    loop_name,
    moment,
    place_of,
    task_name,
    waits_at,
)

__all__ = ["MIXED", "Band", "Bar", "Hues", "Lane", "Picture", "picture"]

LANES = 40  # connections drawn one by one
MIXED = -1  # the hue of a bar that stands for several tasks


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in a lane. `hue` tells the task, `still` is set when what it shows was never given back."""

    start: int
    end: int
    label: str
    detail: str
    hue: int = MIXED
    still: str = ""
    odd: bool = False  # did not end with a return: never merged with its neighbours
    count: int = 1
    noun: str = "checkout"
    names: tuple[str, ...] = ()  # of the tasks, where the bar stands for several checkouts


@dataclass(frozen=True, slots=True)
class Band:
    """The life of an event loop. `end` is None while it is open."""

    title: str
    start: int
    end: int | None


@dataclass(slots=True)
class Lane:
    """One connection, or the tasks that wait for one (`thin`)."""

    title: str
    below: str
    bars: list[Bar] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    statements: list[tuple[int, int]] = field(default_factory=list)
    thin: bool = False


@dataclass(slots=True)
class Picture:
    """All that one timeline shows, and `notes` on what it leaves out."""

    start: int
    end: int
    bands: list[Band]
    lanes: list[Lane]
    tasks: dict[int, str]  # the name that belongs to each hue
    connections: int
    notes: list[str] = field(default_factory=list)

    def moments(self) -> Iterator[int]:
        """Return every time at which something begins, ends or happens."""
        yield from (self.start, self.end)
        for band in self.bands:
            yield from (band.start, self.end if band.end is None else band.end)
        for lane in self.lanes:
            yield from (moment for bar in lane.bars for moment in (bar.start, bar.end))
            yield from (sign.at for sign in lane.signs)


Hues = dict[tuple[str, int], int]  # a task's name and how many before it had that name: the hue


def picture(record: Record, known: Hues | None = None) -> Picture:
    """Return what there is to draw of a record; tasks that have a hue in `known` keep it, the others are added."""
    hues = _hues(record, {} if known is None else known)
    lanes = list(_connections(record, hues))
    shown, notes = _few(lanes)
    waits = [lane for pool in record.pools if (lane := _waits(record, pool, hues)).bars]
    bands = [Band(f"loop #{loop.number}", loop.seen, loop.closed) for loop in record.loops]
    drawn = Picture(0, record.taken, bands, [*shown, *waits], _names(hues, [*shown, *waits]), len(lanes), notes)
    drawn.end = max(drawn.moments())
    first = min((moment for moment in drawn.moments() if moment > 0), default=0)
    drawn.start = first if first > drawn.end // 10 else 0
    return drawn


def _hues(record: Record, known: Hues) -> dict[Task, int]:
    using = [checkout.task for checkout in sorted(record.checkouts, key=lambda each: (each.at, each.number))]
    using += [incident.task for incident in record.incidents if incident.task and incident.waited]
    before: Counter[str] = Counter()
    hues: dict[Task, int] = {}
    for task in dict.fromkeys(using):
        name = _short(task)
        hues[task] = known.setdefault((name, before[name]), len(known))
        before[name] += 1
    return hues


def _names(hues: dict[Task, int], lanes: list[Lane]) -> dict[int, str]:
    """Return the names of the tasks of which something is drawn."""
    drawn = {bar.hue for lane in lanes for bar in lane.bars}
    return {hue: clip(_short(task), 24) for task, hue in hues.items() if hue in drawn}


def _connections(record: Record, hues: dict[Task, int]) -> Iterator[Lane]:
    checkouts: dict[Connection, list[Checkout]] = {connection: [] for connection in record.connections}
    for checkout in record.checkouts:
        checkouts.setdefault(checkout.connection, []).append(checkout)
    signs, statements = signs_of(record), _statements(record)
    for connection in sorted(checkouts, key=lambda each: (is_redis(each), each.pool.number, each.number)):
        bars = [_bar(record, checkout, hues) for checkout in checkouts[connection]]
        lane = Lane(connection_name(connection), "", sorted(bars, key=_order), signs.get(connection.number, []))
        lane.below = f"{clip(connection.pool.kind, 20)}, {loop_name(connection.task.loop).partition(' (')[0]}"
        lane.statements = statements.get(connection.number, [])
        yield lane


def _statements(record: Record) -> dict[int, list[tuple[int, int]]]:
    statements: dict[int, list[tuple[int, int]]] = {}
    for mark in record.marks:
        if mark.took and mark.connection:
            statements.setdefault(mark.connection.number, []).append((max(0, mark.at - mark.took), mark.at))
    return {number: sorted(pairs) for number, pairs in statements.items()}


def _bar(record: Record, checkout: Checkout, hues: dict[Task, int]) -> Bar:
    end = record.taken if checkout.until is None else checkout.until
    waits = waits_at(record, checkout.task) if checkout.until is None else ""
    detail = ", ".join(
        [
            f"{connection_name(checkout.connection)}: {task_name(checkout.task)}",
            loop_name(checkout.task.loop),
            f"from {moment(checkout.at)} for {duration(held_for(record, checkout))}",
            *([f"checked out at {where}"] if (where := place_of(record, checkout.place)) else []),
            ending(record, checkout),
            *([f"its task waits now at {waits}"] if waits else []),
        ]
    )
    still = ending(record, checkout) if checkout.until is None else _LOST.get(checkout.end or "", "")
    odd = checkout.end != "returned"
    return Bar(checkout.at, end, clip(_short(checkout.task), 40), detail, hues[checkout.task], still, odd)


_LOST = {"collected": "never returned"}


def _waits(record: Record, pool: Pool, hues: dict[Task, int]) -> Lane:
    bars = [_wait(incident, hues) for incident in record.incidents if incident.pool is pool and incident.waited]
    return Lane("waiting", f"for {clip(pool.kind, 20)}", sorted(bars, key=_order), thin=True)


def _wait(incident: Incident, hues: dict[Task, int]) -> Bar:
    task = incident.task
    detail = f"{task_name(task)} waited {duration(incident.waited)} for a connection: {incident.kind}"
    label, hue = (clip(_short(task), 40), hues.get(task, MIXED)) if task else ("?", MIXED)
    return Bar(max(0, incident.at - incident.waited), incident.at, label, detail, hue, odd=True, noun="wait")


def _order(bar: Bar) -> tuple[int, int, str]:
    return bar.start, bar.end, bar.label


def _short(task: Task) -> str:
    """Return a task's name without the word `task`."""
    return task_name(task).removeprefix("task ").strip('"')


def _few(lanes: list[Lane]) -> tuple[list[Lane], list[str]]:
    """Return the lanes that are drawn one by one, those with something odd first, and one for all the others."""
    if len(lanes) <= LANES:
        return lanes, []
    ranked = sorted(range(len(lanes)), key=lambda number: not any(bar.odd for bar in lanes[number].bars))
    chosen = set(ranked[: LANES - 1])
    others = [lane for number, lane in enumerate(lanes) if number not in chosen]
    rest = Lane(f"{len(others):,} more".replace(",", " "), "connections")
    rest.bars = sorted((bar for lane in others for bar in lane.bars), key=_order)
    note = f"{count(len(others), 'connection')} share the lane “{rest.title}”: no more than {LANES} are drawn."
    return [*(lanes[number] for number in sorted(chosen)), rest], [note]
