"""
Check the cache's promise on real servers, with several engines and a proxy that harms what goes through it.

    python tests/engine/check_cache.py --provider local                  every fault, 200,000 reads
    python tests/engine/check_cache.py --fault "late request" --reads 5000 --seed 7
    python tests/engine/check_cache.py --pause 6 --fault refused         rows that are mostly cached
    python tests/engine/check_cache.py --engine labkit.bugs.cached_before_commit:CachedBeforeCommit --reads 5000

Each row is a register: its name holds the number of the write that it comes from, and its e-mail address changes
now and then. Writers take turns at a row; readers ask for it by its id and by both of its addresses. A read is

- stale, if it returns less than a write that was acknowledged before the read began and that Redis knew of;
- old while cut off, if only writes were missed whose writer had not reached Redis again: that is allowed;
- backwards, if its reader has had a newer row before.

"bound" is the longest time from the end of a fault until the writer that it had cut off had told Redis everything.
A history that breaks the promise is printed without the operations that it does not need.

Exit status: 0 if the promise holds, 1 with the histories that break it, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import math
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from labkit.engine import Engine, User
from labkit.errors import LabkitError
from labkit.services import Services, start_services
from labkit.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))
from history import Read, Verdict, Write, describe, judge, shrink
from tcp_proxy import Harm, Proxy, Route

ROWS, ENGINES, READERS, WRITERS = 12, 3, 4, 2  # readers and writers of each engine
TIMEOUT = 0.25  # seconds: Settings.redis_timeout
PAUSE = 0.1  # seconds without a question to a Redis that did not answer
BOUND = 2 * TIMEOUT + 0.1  # seconds: a try that runs into its time limit, a pause, a try that is answered in time
LASTS = 0.05, 0.5  # seconds that a harmed route stays so
QUIET = 0.05, 0.2  # seconds between two faults

# The requests of a read, a fill and a write, by what only they hold.
REDIS = (b"", b"MGET", b"NX", b":row", b"SADD", b"SREM")
DATABASE = (b"", b"SELECT", b"UPDATE", b"COMMIT")

writing: ContextVar[Write | None] = ContextVar("writing", default=None)


@dataclass
class Site:
    """One engine, and its routes to Redis and to the database."""

    number: int
    engine: Engine
    redis: Proxy
    redis_url: str  # without the proxy
    database: Proxy | None  # SQLite has none


Hurt = Callable[["Site", random.Random], Any]


def one_request(harm: Harm, patterns: Sequence[bytes], where: str) -> Hurt:
    async def hurt(site: Site, chance: random.Random) -> None:
        proxy: Proxy | None = getattr(site, where)
        if proxy is not None:
            proxy.arm(harm, chance.choice(patterns))
            await asyncio.sleep(chance.uniform(*LASTS))
            proxy.disarm()

    return hurt


def whole_route(route: Route) -> Hurt:
    async def hurt(site: Site, chance: random.Random) -> None:
        site.redis.set(route)
        site.redis.harmed[b"", route] += 1
        await asyncio.sleep(chance.uniform(*LASTS))
        site.redis.set(Route.OPEN)

    return hurt


async def forgets(site: Site, chance: random.Random) -> None:
    site.redis.harmed[b"", "forgets"] += 1
    async with Redis.from_url(site.redis_url) as client:
        await client.flushdb()


async def nothing(site: Site, chance: random.Random) -> None:
    await asyncio.sleep(0.05)


FAULTS: dict[str, Hurt] = {
    "none": nothing,
    "request lost": one_request(Harm.REQUEST_LOST, REDIS, "redis"),
    "answer lost": one_request(Harm.ANSWER_LOST, REDIS, "redis"),
    "no answer": one_request(Harm.NO_ANSWER, REDIS, "redis"),
    "late request": one_request(Harm.LATE, REDIS, "redis"),
    "refused": whole_route(Route.REFUSED),
    "silent": whole_route(Route.SILENT),
    "stalled": whole_route(Route.STALLED),
    "slow": whole_route(Route.SLOW),
    "redis forgets": forgets,
    "database: request lost": one_request(Harm.REQUEST_LOST, DATABASE, "database"),
    "database: answer lost": one_request(Harm.ANSWER_LOST, DATABASE, "database"),
    "database: late request": one_request(Harm.LATE, DATABASE, "database"),
}


@dataclass
class Row:
    """A register: who writes to it waits for `turn`."""

    id: int
    emails: tuple[str, str]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    versions: int = 0
    known: bool = True  # whether the last write is known to have happened
    email: str = ""


@dataclass
class Outcome:
    """What one fault came to."""

    fault: str
    faults: int = 0
    reads: int = 0
    writes: int = 0
    cut_off: int = 0
    """Writes of which Redis could not be told at once."""
    failed: int = 0
    """Reads that ended with an error."""
    old_while_cut_off: int = 0
    stale: int = 0
    backwards: int = 0
    bound: float = 0.0

    @property
    def holds(self) -> bool:
        return self.stale == self.backwards == 0 and self.bound <= BOUND


def watched(engine_class: type[Engine]) -> type[Engine]:
    """Return the class, whose writes know whether Redis could be told before the commit."""

    class Watched(engine_class):  # type: ignore[misc, valid-type]
        @asynccontextmanager
        async def changing(self, keys: Any) -> AsyncIterator[None]:
            async with super().changing(keys):
                write = writing.get()
                if write is not None and unsent(self):
                    write.cut_off = True
                yield

    return Watched


def unsent(engine: Engine) -> int:
    return int(getattr(engine.statistics(), "cache_unsent", 0))  # the engine of 0.1 keeps no such count


class Check:
    """One fault, again and again, until `wanted` reads were made; each writer pauses for up to `pause` seconds."""

    def __init__(
        self, sites: list[Site], rows: list[Row], fault: str, seed: int, wanted: int, pause: float
    ) -> None:
        self.sites, self.rows, self.fault, self.wanted, self.pause = sites, rows, fault, wanted, pause
        self.chance = random.Random(f"{seed} {fault}")
        self.reads: list[Read] = []
        self.writes: dict[int, list[Write]] = {row.id: [] for row in rows}
        self.outcome = Outcome(fault)
        self.telling: set[asyncio.Task[None]] = set()

    async def run(self, advance: Callable[[int], None]) -> Outcome:
        """Run it; the histories of the rows stay in `reads` and `writes`."""
        for row in self.rows:
            await self.write(self.sites[0], row, rename=True)
        harm = asyncio.create_task(self.hurt())
        work = [self.read_on(site, number) for site in self.sites for number in range(READERS)]
        work += [self.write_on(site) for site in self.sites for _ in range(WRITERS)]
        self.advance = advance
        await asyncio.gather(*work)
        harm.cancel()
        with suppress(asyncio.CancelledError):
            await harm
        for site in self.sites:
            site.redis.set(Route.OPEN)
            for proxy in filter(None, (site.redis, site.database)):
                self.outcome.faults += sum(proxy.harmed.values())
        await asyncio.gather(*self.telling)
        return self.outcome

    async def hurt(self) -> None:
        while True:
            site = self.chance.choice(self.sites)
            await asyncio.sleep(self.chance.uniform(*QUIET))
            await FAULTS[self.fault](site, self.chance)

    async def read_on(self, site: Site, number: int) -> None:
        while len(self.reads) < self.wanted:
            row = self.chance.choice(self.rows)
            by = self.chance.choice(("", *row.emails))
            read = Read(row.id, site.number, f"{site.number}.{number}", by, time.monotonic())
            try:
                user = await site.engine.get(User, **({"email": by} if by else {"id": row.id}))
            except (SQLAlchemyError, OSError, LabkitError):
                self.outcome.failed += 1
                continue
            finally:
                read.ended = time.monotonic()
            read.version = None if user is None else int(user.name)
            self.reads.append(read)
            self.advance(1)

    async def write_on(self, site: Site) -> None:
        while len(self.reads) < self.wanted:
            await asyncio.sleep(self.chance.uniform(0, self.pause))
            await self.write(site, self.chance.choice(self.rows), rename=self.chance.random() < 0.2)

    async def write(self, site: Site, row: Row, *, rename: bool) -> None:
        async with row.turn:
            # Where it is not known which address the row has now, one is chosen.
            rename = rename or not row.known
            email = self.chance.choice(row.emails) if rename else row.email
            row.versions += 1
            write = Write(row.id, row.versions, email, site.number, time.monotonic())
            self.writes[row.id].append(write)
            token = writing.set(write)
            try:
                await self.change(site, row, write, rename)
            except (SQLAlchemyError, OSError, LabkitError):
                row.known = False
            else:
                write.acknowledged = time.monotonic()
                row.known, row.email = True, email
            finally:
                writing.reset(token)
            if unsent(site.engine):
                write.cut_off = True
            if write.cut_off:
                self.outcome.cut_off += 1
                task = asyncio.create_task(self.tell(site, write))
                self.telling.add(task)
            else:
                write.told = time.monotonic()

    async def change(self, site: Site, row: Row, write: Write, rename: bool) -> None:
        if rename:
            async with site.engine.session() as session:
                user = await session.get(User, row.id, with_for_update=True)
                assert user is not None
                user.name, user.email = str(write.version), write.email
        else:  # an object that is old, and may not have heard of the row's address
            user = await site.engine.get(User, id=row.id)
            assert user is not None
            user.name = str(write.version)
            await site.engine.save(user)

    async def tell(self, site: Site, write: Write) -> None:
        while unsent(site.engine):
            await asyncio.sleep(0.005)
        write.told = time.monotonic()
        ended = write.started if write.acknowledged == math.inf else write.acknowledged
        since = max(ended, site.redis.quiet_since())
        self.outcome.bound = round(max(self.outcome.bound, write.told - since), 2)

    def judge(self) -> list[str]:
        """Count what the reads were, and return the histories that break the promise, each without the rest."""
        broken = []
        reads: dict[int, list[Read]] = {row.id: [] for row in self.rows}
        for read in sorted(self.reads, key=lambda each: each.started):
            reads[read.row].append(read)
        self.outcome.reads = len(self.reads)
        self.outcome.writes = sum(map(len, self.writes.values()))
        for row in self.rows:
            verdicts = judge(self.writes[row.id], reads[row.id])
            counted = Counter(verdicts)
            self.outcome.stale += counted[Verdict.STALE]
            self.outcome.backwards += counted[Verdict.BACKWARDS]
            self.outcome.old_while_cut_off += counted[Verdict.OLD_WHILE_CUT_OFF]
            wrong = [i for i, each in enumerate(verdicts) if each in (Verdict.STALE, Verdict.BACKWARDS)]
            for i in wrong[:1]:
                broken.append(f"{self.fault}: {describe(*shrink(self.writes[row.id], reads[row.id][: i + 1]))}")
        return broken


@asynccontextmanager
async def at_work(services: Services, engine_class: type[Engine], seed: int) -> AsyncIterator[list[Site]]:
    """Open the engines, each with its own routes."""
    database, redis = make_url(services.database_url), make_url(services.redis_url)
    wanted = {"redis_timeout": TIMEOUT, "cache_ttl": 2.0, "pool_size": READERS + WRITERS, "statement_timeout": 1.0}
    # The engine of 0.1 has fewer settings.
    settings = Settings(**{name: value for name, value in wanted.items() if name in Settings.model_fields})
    async with AsyncExitStack() as stack:
        sites = []
        for number in range(ENGINES):
            to_redis = Proxy(redis.host or "", redis.port or 0, seed=seed, seconds=1.5 * TIMEOUT)
            via_redis = redis.set(host="127.0.0.1", port=(await stack.enter_async_context(to_redis)).port)
            to_database, via_database = None, database
            if database.host:
                to_database = Proxy(database.host, database.port or 0, seed=seed, seconds=1.5 * TIMEOUT)
                await stack.enter_async_context(to_database)
                via_database = database.set(host="127.0.0.1", port=to_database.port)
            engine = watched(engine_class)(
                settings,
                database_url=via_database.render_as_string(hide_password=False),
                redis_url=via_redis.render_as_string(hide_password=False),
            )
            await stack.enter_async_context(engine)
            sites.append(Site(number, engine, to_redis, services.redis_url, to_database))
        yield sites


async def check(
    provider: str | None,
    engine_class: type[Engine],
    faults: Sequence[str],
    reads: int,
    seed: int,
    pause: float,
    console: Console,
) -> tuple[list[Outcome], list[str]]:
    """Return what each fault came to, and the histories that break the promise."""
    outcomes, broken = [], []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("reads", total=reads)
        async with start_services(provider) as services:
            for fault in faults:
                progress.update(bar, description=fault)
                async with at_work(services, engine_class, seed) as sites:
                    rows = await make_rows(sites[0].engine, fault)
                    run = Check(sites, rows, fault, seed, math.ceil(reads / len(faults)), pause)
                    outcomes.append(await run.run(lambda count: progress.advance(bar, count)))
                broken += run.judge()
    return outcomes, broken


async def make_rows(engine: Engine, fault: str) -> list[Row]:
    await engine.create_tables()
    rows = []
    for number in range(ROWS):
        emails = tuple(f"{fault} {number} {which}@example.org" for which in "ab")
        user = User(email=emails[0], name="0")
        await engine.save(user)
        rows.append(Row(user.id, (emails[0], emails[1]), email=emails[0]))
    return rows


def table(outcomes: Sequence[Outcome]) -> Table:
    names = [each.name for each in fields(Outcome)]
    shown = Table(*(name.replace("_", " ") for name in names), box=None)
    for each in outcomes:
        shown.add_row(*(str(value) for value in asdict(each).values()))
    numbers = [sum(getattr(each, name) for each in outcomes) for name in names[1:-1]]
    shown.add_row("in all", *map(str, numbers), str(max(each.bound for each in outcomes)))
    return shown


def find_class(name: str) -> type[Engine]:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}; write it as package.module:Class") from None
    if not (isinstance(found, type) and issubclass(found, Engine)):
        raise argparse.ArgumentTypeError(f"{name} is no Engine")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", help="where MySQL and Redis come from")
    parser.add_argument("--engine", type=find_class, default=Engine, help="the class to check, module:Class")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="one fault; may be given several times")
    parser.add_argument("--reads", type=int, default=200_000, help="how many reads, over all faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.1, help="longest pause of a writer between two writes")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    chosen = parser.parse_args()
    with suppress(ImportError, AttributeError):
        importlib.import_module("labkit.engine.redis").PAUSE = PAUSE  # type: ignore[attr-defined]
    logging.getLogger("labkit.engine").setLevel(logging.ERROR)
    console = Console(stderr=True)
    faults = chosen.fault or list(FAULTS)
    outcomes, broken = asyncio.run(
        check(chosen.provider, chosen.engine, faults, chosen.reads, chosen.seed, chosen.pause, console)
    )
    holds = all(each.holds for each in outcomes)
    if chosen.json:
        print(json.dumps({"outcomes": list(map(asdict, outcomes)), "broken": broken, "holds": holds}, indent=1))
    else:
        Console(width=max(100, console.width)).print(table(outcomes))
        print(*broken, f"the promise {'holds' if holds else 'does not hold'}", sep="\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
