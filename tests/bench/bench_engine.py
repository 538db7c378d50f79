"""
The engine's speed against what people write by hand, in one run on one server.

    python tests/bench/bench_engine.py --provider local
    python tests/bench/bench_engine.py --provider containers --rounds 40 --json

Every contestant has the same server, the same pool size and, if it goes through SQLAlchemy, the same pool settings,
`pool_pre_ping` on. Those without it are shown beside. Blocks of operations are interleaved:
in each round every contestant runs one block, in an order that changes, and a ratio is the median of the rounds'
own ratios, so that a slow moment of the machine hits both sides. "A/A" is the hand-written code against itself: a
ratio nearer to 1 than A/A's own spread says nothing. "trips" are the round trips of one operation, to the database
and to Redis together, counted by a proxy in a run of their own, with one task and without idleness.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import asyncmy
from advanced_alchemy.filters import LimitOffset, OrderBy
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import insert, make_url, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from labkit.engine import Base, Engine, User
from labkit.engine.models import now
from labkit.services import Services, start_services
from labkit.settings import read_settings

sys.path.append(str(Path(__file__).parents[1] / "engine"))
from tcp_proxy import Proxy

ROWS = 1000
COUNTED = 50  # operations whose round trips are counted
PAGE = 50
numbers = itertools.count()

EMAILS = [f"user{i}@example.org" for i in range(ROWS)]


def new_user() -> User:
    return User(email=f"new{next(numbers)}@example.org", name="Ada")


def new_name() -> str:
    return f"Ada {next(numbers)}"


class Facade:
    """`labkit.engine`, without Redis: nothing is cached."""

    name = "facade"
    label = "the engine"

    def __init__(self, services: Services, size: int, users: list[User], *, redis: bool = False) -> None:
        chosen = {"pool_size": size, "max_overflow": 0, "redis_url": None, "cache_ttl": 3600.0}
        settings = read_settings().model_copy(update=chosen)
        url = services.redis_url if redis else None
        self.engine = Engine(settings, database_url=services.database_url, redis_url=url)
        self.users = users

    async def open(self) -> None:
        await self.engine.open()

    async def close(self) -> None:
        await self.engine.close()

    async def get(self, i: int) -> None:
        user = await self.engine.get(User, email=EMAILS[i])
        assert user is not None
        assert user.email == EMAILS[i]

    async def insert(self, i: int) -> None:
        user = new_user()
        await self.engine.save(user)
        assert user.id

    async def update(self, i: int) -> None:
        user = self.users[i]
        user.name = new_name()
        await self.engine.save(user)

    async def find(self, i: int) -> None:
        assert len(await self.engine.find(User, order_by=User.id, limit=PAGE)) == PAGE


class CachedFacade(Facade):
    """`labkit.engine` with Redis: rows that were read before come from there."""

    name = "cached"
    label = "the engine, with Redis"

    def __init__(self, services: Services, size: int, users: list[User]) -> None:
        super().__init__(services, size, users, redis=True)

    async def warm(self) -> None:
        # The first read of a row that another process has saved learns its primary key, the second one caches it.
        for i in (*range(ROWS), *range(ROWS)):
            await self.get(i)
        misses = self.engine.statistics().cache_misses
        await self.get(0)
        assert self.engine.statistics().cache_misses == misses

    async def miss(self, i: int) -> None:
        assert await self.engine.get(User, id=self.users[i].id)


class ByHand:
    """The usual hand-written code: one `AsyncSession` for each operation."""

    name = "hand"
    label = "AsyncSession by hand"
    options: ClassVar[dict[str, Any]] = {"pool_pre_ping": True}

    def __init__(self, services: Services, size: int, users: list[User]) -> None:
        self.engine: AsyncEngine = create_async_engine(
            services.database_url, pool_size=size, max_overflow=0, pool_recycle=1800, **self.options
        )
        self.users = users

    async def open(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(select(1))

    async def close(self) -> None:
        await self.engine.dispose()

    def session(self) -> AsyncSession:
        return AsyncSession(self.engine, expire_on_commit=False)

    async def get(self, i: int) -> None:
        async with self.session() as session:
            user = (await session.execute(select(User).where(User.email == EMAILS[i]))).scalar_one_or_none()
        assert user is not None

    async def insert(self, i: int) -> None:
        user = new_user()
        async with self.session() as session:
            session.add(user)
            await session.commit()
        assert user.id

    async def update(self, i: int) -> None:
        user = self.users[i]
        user.name = new_name()
        async with self.session() as session:
            session.add(user)
            await session.commit()

    async def find(self, i: int) -> None:
        async with self.session() as session:
            users = (await session.execute(select(User).order_by(User.id).limit(PAGE))).scalars().all()
        assert len(users) == PAGE


class ByHandAgain(ByHand):
    """The same once more, on a pool of its own: the A/A control."""

    name = "hand again"
    label = "AsyncSession by hand, again (A/A)"


class ByHandWithoutPing(ByHand):
    """The same on a pool that does not test connections: a killed idle connection comes out as an error."""

    name = "no ping"
    label = "AsyncSession by hand, no pre-ping"
    options: ClassVar[dict[str, Any]] = {"pool_pre_ping": False}


class ByHandBare(ByHand):
    """The same with its statements and its COMMIT only: the most that an ORM session can do, and not safe."""

    name = "bare"
    label = "AsyncSession by hand, no ping, no reset"
    options: ClassVar[dict[str, Any]] = {"pool_pre_ping": False, "pool_reset_on_return": None}


class Users(SQLAlchemyAsyncRepository[User]):  # type: ignore[type-var]
    model_type = User


class AdvancedAlchemy(ByHand):
    """advanced-alchemy's async repository, a session for each operation."""

    name = "advanced-alchemy"
    label = "advanced-alchemy"

    def __init__(self, services: Services, size: int, users: list[User]) -> None:
        super().__init__(services, size, users)
        self.factory = async_sessionmaker(self.engine, expire_on_commit=False)

    async def get(self, i: int) -> None:
        async with self.factory() as session:
            assert await Users(session=session).get_one_or_none(email=EMAILS[i])

    async def insert(self, i: int) -> None:
        async with self.factory() as session:
            user = await Users(session=session).add(new_user(), auto_commit=True)
        assert user.id

    async def update(self, i: int) -> None:
        user = self.users[i]
        user.name = new_name()
        async with self.factory() as session:
            await Users(session=session).update(user, auto_commit=True)

    async def find(self, i: int) -> None:
        async with self.factory() as session:
            found = await Users(session=session).list(OrderBy("id", "asc"), LimitOffset(limit=PAGE, offset=0))
        assert len(found) == PAGE


class Core(ByHand):
    """SQLAlchemy Core by hand: rows, no objects."""

    name = "core"
    label = "SQLAlchemy Core by hand"
    users_table = User.__table__

    async def get(self, i: int) -> None:
        async with self.engine.connect() as connection:
            row = (await connection.execute(select(self.users_table).where(User.email == EMAILS[i]))).first()
        assert row is not None

    async def insert(self, i: int) -> None:
        values = {"email": f"new{next(numbers)}@example.org", "name": "Ada", "created_at": now()}
        async with self.engine.begin() as connection:
            assert (await connection.execute(insert(User).values(**values))).inserted_primary_key

    async def update(self, i: int) -> None:
        statement = update(self.users_table).where(User.id == self.users[i].id).values(name=new_name())
        async with self.engine.begin() as connection:
            await connection.execute(statement)

    async def find(self, i: int) -> None:
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(self.users_table).order_by(User.id).limit(PAGE))
        assert len(rows.all()) == PAGE


class Raw:
    """asyncmy's own pool, autocommit, SQL as text: what the driver can do. It tests no connection."""

    name = "raw"
    label = "raw asyncmy pool, autocommit"
    columns = "id, email, name, created_at"

    def __init__(self, services: Services, size: int, users: list[User]) -> None:
        self.url = make_url(services.database_url)
        self.size = size
        self.users = users

    async def open(self) -> None:
        url = self.url
        self.pool = await asyncmy.create_pool(
            host=url.host, port=url.port, user=url.username, password=url.password or "", db=url.database,
            minsize=1, maxsize=self.size, autocommit=True,
        )  # fmt: skip

    async def close(self) -> None:
        self.pool.close()
        await self.pool.wait_closed()

    async def ask(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        async with self.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(sql, parameters)
            return list(await cursor.fetchall()) if cursor.description else []

    async def get(self, i: int) -> None:
        assert await self.ask(f"SELECT {self.columns} FROM users WHERE email = %s", EMAILS[i])

    async def insert(self, i: int) -> None:
        user = new_user()
        sql = "INSERT INTO users (email, name, created_at) VALUES (%s, %s, %s)"
        await self.ask(sql, user.email, user.name, now().replace(tzinfo=None))

    async def update(self, i: int) -> None:
        await self.ask("UPDATE users SET name = %s WHERE id = %s", new_name(), self.users[i].id)

    async def find(self, i: int) -> None:
        assert len(await self.ask(f"SELECT {self.columns} FROM users ORDER BY id LIMIT {PAGE}")) == PAGE


Operation = Callable[[int], Awaitable[None]]
Before = Callable[[], Awaitable[object]] | None
Work = Callable[[str, dict[str, Operation], Before], Awaitable[None]]
PEERS = (Facade, ByHand, ByHandAgain, ByHandWithoutPing, ByHandBare, AdvancedAlchemy, Core, Raw)
# The operation, and the contestant that takes part in it beside the peers.
OPERATIONS = {"get": "facade", "get cached": "cached", "get missed": "cached", "insert": "facade",
              "update": "facade", "find 50": "facade"}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One contestant at one operation."""

    operation: str
    tasks: int
    contestant: str
    per_second: float
    ratio: float
    """Throughput as a multiple of the hand-written code's, the median of the rounds' ratios."""
    spread: tuple[float, float]
    """The middle half of the rounds' ratios."""
    round_trips: float = math.nan


@dataclass(frozen=True)
class Goal:
    """What DESIGN asks of the engine, against what was measured."""

    says: str
    tasks: int
    wanted: float
    found: float
    noise: float = 0.0
    """How far from 1 the median ratio of a thing to itself may come out in this run."""

    @property
    def verdict(self) -> str:
        if self.found >= self.wanted:
            return "reached"
        if self.found >= self.wanted - self.noise:
            return f"reached within the A/A noise of {self.noise:.2f}"
        return f"not reached: {self.found:.2f} against {self.wanted:.2f}"


async def run_block(operation: Operation, tasks: int, count: int) -> float:
    """Run `count` operations in `tasks` tasks; return how many that were in a second."""
    rows = iter(range(count))

    async def work() -> None:
        for i in rows:
            await operation(i % ROWS)

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(tasks)))
    return count / (time.perf_counter() - started)


async def measure(
    name: str, tasks: int, contestants: dict[str, Operation], rounds: int, seconds: float, before: Before
) -> list[Measured]:
    counts = {}
    for each, operation in contestants.items():
        await before_block(each, before)
        await run_block(operation, tasks, 2 * tasks)
        await before_block(each, before)
        rate = await run_block(operation, tasks, max(20, 4 * tasks))
        counts[each] = min(ROWS, max(tasks, round(rate * seconds)))
    rates: dict[str, list[float]] = {each: [] for each in contestants}
    order = list(contestants)
    for _ in range(rounds):
        random.shuffle(order)
        for each in order:
            await before_block(each, before)
            rates[each].append(await run_block(contestants[each], tasks, counts[each]))
    return [summed_up(name, tasks, each, rates[each], rates["hand"]) for each in contestants]


async def before_block(contestant: str, before: Before) -> None:
    if before is not None and contestant == "cached":
        await before()


def summed_up(operation: str, tasks: int, name: str, rates: list[float], of_hand: list[float]) -> Measured:
    ratios = [rate / hand for rate, hand in zip(rates, of_hand, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return Measured(operation, tasks, name, statistics.median(rates), middle, (low, high))


Trips = dict[tuple[str, str], float]


async def run(services: Services, rounds: int, seconds: float, tasks: Iterable[int], size: int) -> list[Measured]:
    random.seed(11)
    trips: Trips = {}
    async with Proxy(*server(services.database_url)) as database, Proxy(*server(services.redis_url)) as redis:
        via = replace(
            services,
            database_url=through(services.database_url, database.port),
            redis_url=through(services.redis_url, redis.port),
        )

        async def count(name: str, contestants: dict[str, Operation], before: Before) -> None:
            for each, operation in contestants.items():
                await before_block(each, before)
                await run_block(operation, 1, 3)  # whatever is done once only
                await before_block(each, before)
                already = database.round_trips + redis.round_trips
                await run_block(operation, 1, COUNTED)
                trips[name, each] = (database.round_trips + redis.round_trips - already) / COUNTED

        await with_contestants(via, size, count)
    results: list[Measured] = []

    async def measure_all(name: str, contestants: dict[str, Operation], before: Before) -> None:
        for tasks_at_once in tasks:
            measured = await measure(name, tasks_at_once, contestants, rounds, seconds, before)
            results.extend(replace(each, round_trips=trips[name, each.contestant]) for each in measured)

    await with_contestants(services, size, measure_all)
    return results


def server(url: str) -> tuple[str, int]:
    parsed = make_url(url)
    assert parsed.host is not None
    assert parsed.port is not None
    return parsed.host, parsed.port


def through(url: str, port: int) -> str:
    return make_url(url).set(host="127.0.0.1", port=port).render_as_string(hide_password=False)


async def with_contestants(services: Services, size: int, work: Work) -> None:
    """Call `work` with each operation, those that take part in it, and what the cached one needs before a block."""
    users = await fill(services)
    through_asyncmy = make_url(services.database_url).drivername == "mysql+asyncmy"
    peers = [peer for peer in PEERS if peer is not Facade and (peer is not Raw or through_asyncmy)]
    for operation, ours in OPERATIONS.items():
        missed = operation == "get missed"
        before: Before = None
        taking_part: dict[str, Operation] = {}
        async with AsyncExitStack() as stack:  # all at once would be more connections than a server accepts
            for kind in (CachedFacade if ours == "cached" else Facade, *peers):
                each = kind(services, size, users)
                await each.open()
                stack.push_async_callback(each.close)
                if isinstance(each, CachedFacade):
                    assert each.engine.redis is not None
                    await each.engine.redis.client.flushdb()
                    await each.warm()
                    before = each.engine.redis.client.flushdb if missed else None
                method = "miss" if missed and isinstance(each, CachedFacade) else operation.split()[0]
                taking_part[kind.name] = getattr(each, method)
            await work(operation, taking_part, before)


async def fill(services: Services) -> list[User]:
    """Make the tables anew and `ROWS` users in them."""
    engine = create_async_engine(services.database_url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    users = [User(email=email, name="Ada") for email in EMAILS]
    async with AsyncSession(engine, expire_on_commit=False) as session:
        session.add_all(users)
        await session.commit()
    await engine.dispose()
    return users


def goals(results: list[Measured], rounds: int) -> list[Goal]:
    found = {(each.operation, each.tasks, each.contestant): each for each in results}
    judged = []
    for tasks in sorted({each.tasks for each in results}):
        judged.append(Goal("get, not cached", tasks, 2.0, found["get", tasks, "facade"].ratio))
        judged.append(Goal("get, from the cache", tasks, 6.0, found["get cached", tasks, "cached"].ratio))
        for operation in ("insert", "update"):
            low, high = found[operation, tasks, "hand again"].spread
            noise = (high - low) / math.sqrt(rounds)
            judged.append(Goal(operation, tasks, 1.1, found[operation, tasks, "facade"].ratio, noise))
        judged.append(Goal("find 50", tasks, 1.2, found["find 50", tasks, "facade"].ratio))
        for operation in ("get", "insert", "update", "find 50"):
            ours, theirs = (found[operation, tasks, who].ratio for who in ("facade", "advanced-alchemy"))
            judged.append(Goal(f"{operation}, ahead of advanced-alchemy", tasks, 1.0, ours / theirs))
    return judged


LABELS = {peer.name: peer.label for peer in (*PEERS, CachedFacade)}


def print_table(services: Services, results: list[Measured], size: int, rounds: int) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in services.versions.items())
    print(f"{services.provider}: {versions}; pool of {size}; Python {sys.version.split()[0]}")
    print("x: throughput as a multiple of the hand-written code's; in brackets the middle half of the rounds\n")
    for (operation, tasks), rows in itertools.groupby(results, key=lambda each: (each.operation, each.tasks)):
        print(f"{operation}, {tasks} task{'s' * (tasks > 1)}")
        for row in rows:
            spread = f"[{row.spread[0]:.2f}-{row.spread[1]:.2f}]"
            print(
                f"    {LABELS[row.contestant]:40}{row.per_second:9.0f}/s {row.ratio:7.2f}x  {spread:13} "
                f"{row.round_trips:5.1f} trips"
            )
    print("\nGoals")
    for goal in goals(results, rounds):
        said = f"{goal.says}, {goal.tasks} task{'s' * (goal.tasks > 1)}"
        print(f"    {said:48} ≥ {goal.wanted:.2f}x  {goal.found:6.2f}x  {goal.verdict}")


async def main(arguments: argparse.Namespace) -> None:
    async with start_services(arguments.provider) as services:
        results = await run(services, arguments.rounds, arguments.seconds, arguments.tasks, arguments.pool)
    if arguments.json:
        judged = [asdict(goal) | {"verdict": goal.verdict} for goal in goals(results, arguments.rounds)]
        print(json.dumps({"provider": services.provider, "versions": dict(services.versions),
                          "results": [asdict(each) for each in results], "goals": judged}, indent=1))  # fmt: skip
    else:
        print_table(services, results, arguments.pool, arguments.rounds)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", default=None, help="where MySQL and Redis come from")
    parser.add_argument("--rounds", type=int, default=20, help="rounds; in each, every contestant runs one block")
    parser.add_argument("--seconds", type=float, default=0.1, help="how long a block is meant to take")
    parser.add_argument("--tasks", type=int, nargs="+", default=[1, 16], help="how many tasks work at once")
    parser.add_argument("--pool", type=int, default=16, help="connections in each contestant's pool")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(parse()))
