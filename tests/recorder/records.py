"""Records made by hand, with the findings that belong to them: what the views are shown in tests."""

from __future__ import annotations

from typing import Any

from labkit.recorder.finding import Finding
from labkit.recorder.model import Checkout, Connection, Entry, Incident, Kind, Loop, Mark, Pool, Task
from labkit.recorder.snapshot import Place, Record

MS = 1_000
SECOND = 1_000_000


class Build:
    """Fills a record, note by note."""

    def __init__(self, **plain: Any) -> None:
        self.record = Record(began=1_760_000_000.0, pid=4242, program="app.py", **plain)

    def _add(self, table: str, entry_type: type[Entry], *values: Any, **named: Any) -> Any:
        entries = getattr(self.record, table)
        entry = entry_type(len(entries) + 1, *values, **named)
        entries.append(entry)
        return entry

    def place(self, line: int, function: str, file: str = "/home/ada/chat/engine.py") -> int:
        self.record.places.append([Place(file, line, function)])
        return len(self.record.places) - 1

    def loop(self, seen: int = 0, closed: int | None = None, thread: str = "MainThread") -> Loop:
        return self._add("loops", Loop, seen=seen, thread=thread, closed=closed)

    def task(self, name: str, loop: Loop | None, coroutine: str = "main", **more: Any) -> Task:
        return self._add("tasks", Task, name=name, loop=loop, thread="MainThread", coroutine=coroutine, **more)

    def pool(self, kind: str = "mysql+asyncmy", made: int = 0, **more: Any) -> Pool:
        url = f"{kind.partition('+')[0]}://lab:***@127.0.0.1/lab"
        return self._add("pools", Pool, kind=kind, url=url, place=0, made=made, **more)

    def connection(self, pool: Pool, task: Task, opened: int, **more: Any) -> Connection:
        self.record.counts.opened += 1
        self.record.counts.closed += "closed" in more
        return self._add("connections", Connection, pool, task, pid=4242, opened=opened, place=0, **more)

    def checkout(
        self,
        connection: Connection,
        task: Task,
        at: int,
        until: int | None = None,
        end: str | None = None,
        **more: Any,
    ) -> Checkout:
        end = end or (None if until is None else "returned")
        self.record.counts.checkouts += 1
        self.record.counts.checkins += end == "returned"
        place = more.pop("place", 0)
        return self._add("checkouts", Checkout, connection, task, place, at, until=until, end=end, **more)

    def incident(self, kind: Kind, at: int, task: Task | None = None, **more: Any) -> Incident:
        return self._add("incidents", Incident, kind, at, task, place=more.pop("place", 0), **more)

    def mark(self, at: int, what: str, **more: Any) -> Mark:
        return self._add("marks", Mark, at, what, **more)

    def done(self, taken: int) -> Record:
        self.record.taken = taken
        return self.record


def nothing() -> Record:
    """Nothing used a connection while the recorder ran."""
    return Build().done(5 * MS)


def clean() -> Record:
    """A program that gives back all it took."""
    build = Build(ended=True)
    loop = build.loop(0, 41 * MS)
    task = build.task("Task-1", loop, "main", ended=40 * MS, end="finished")
    pool = build.pool(disposed=39 * MS)
    connection = build.connection(pool, task, 4 * MS, closed=39 * MS, end="closed")
    place = build.place(18, "save_user")
    for start in range(6, 36, 3):
        build.checkout(connection, task, start * MS, start * MS + 1_700, place=place)
    return build.done(42 * MS)


def story() -> tuple[Record, list[Finding]]:
    """The story: a registry for each access, a connection that never comes back, a loop that closes."""
    build = Build(ended=True)
    loop = build.loop(1 * MS, 52 * MS)
    signup = build.task("signup", loop, "sign_up", ended=44 * MS, end="failed")
    again = build.task("Task-2", loop, "save_user_again", ended=47 * MS, end="failed")
    pool = build.pool(made=2 * MS, disposed=49 * MS)
    save, read = build.place(31, "session"), build.place(44, "count_users")
    first = build.connection(pool, signup, 8 * MS, closed=71 * MS, end="collected")
    second = build.connection(pool, signup, 17 * MS, closed=49 * MS, end="closed")
    leaked = build.checkout(first, signup, 12 * MS, 71 * MS, "collected", place=save)
    build.checkout(second, signup, 19 * MS, 24 * MS, place=read)
    build.checkout(second, again, 26 * MS, 39 * MS, place=read)
    build.incident(Kind.HELD_AT_LOOP_END, 52 * MS, signup, checkout=leaked, connection=first)
    build.incident(Kind.COLLECTED, 71 * MS, None, checkout=leaked, connection=first)
    where = build.record.where(save)
    leak = Finding(
        "leaked-connection",
        'Connection 1 was checked out by task "signup" and never returned.',
        where,
        evidence=(
            "loop #1 closed while the connection was out",
            "the garbage collector took it 19 ms after loop #1 had closed",
        ),
        task="signup",
        loop=1,
        loop_closed=True,
        connection=1,
        age=0.059,
        at=12 * MS,
        test="tests/test_users.py::test_a_user_is_saved_once",
    )
    root = Finding(
        "registry-rebuilt",
        'Task "signup" got its sessions from 3 registries, all built at one line: each access gives a new session.',
        where,
        evidence=("2 sessions of this task were open at the same time, on connections 1 and 2",),
        task="signup",
        loop=1,
        loop_closed=True,
        connection=1,
        age=0.059,
        at=12 * MS,
        times=3,
        consequences=(leak,),
    )
    return build.done(74 * MS), [root]


def fixed() -> Record:
    """The story with the registry built once."""
    build = Build(ended=True)
    loop = build.loop(1 * MS, 38 * MS)
    signup = build.task("signup", loop, "sign_up", ended=34 * MS, end="finished")
    pool = build.pool(made=2 * MS, disposed=36 * MS)
    connection = build.connection(pool, signup, 8 * MS, closed=36 * MS, end="closed")
    place = build.place(31, "session")
    build.checkout(connection, signup, 12 * MS, 24 * MS, place=place)
    build.checkout(connection, signup, 25 * MS, 32 * MS, place=place)
    return build.done(40 * MS)


def exhausted() -> tuple[Record, list[Finding]]:
    """A pool of three, held by three tasks that wait for something slow; two more wait in vain."""
    build = Build()
    loop = build.loop(0)
    pool = build.pool("mysql+aiomysql")
    place, ask = (
        build.place(77, "call_partner", "/srv/shop/orders.py"),
        build.place(12, "charge", "/srv/shop/pay.py"),
    )
    wait = build.place(80, "call_partner", "/srv/shop/orders.py")
    holders = []
    for number in (1, 2, 3):
        task = build.task(f"order-{number}", loop, "handle_order", waits=wait)
        connection = build.connection(pool, task, (5 + number) * MS)
        holders.append(build.checkout(connection, task, (90 + 40 * number) * MS, place=place))
    for number in (4, 5):
        task = build.task(f"order-{number}", loop, "handle_order", ended=2_600 * MS, end="failed")
        build.incident(
            Kind.TIMED_OUT,
            (2_400 + 60 * number) * MS,
            task,
            pool=pool,
            holders=tuple(holders),
            waited=2_000 * MS,
            place=ask,
        )
    build.record.counts.waits, build.record.counts.longest_wait = 2, 2_000 * MS
    record = build.done(3_200 * MS)
    finding = Finding(
        "pool-exhausted",
        "2 tasks waited 2 s each for a connection and got none: all 3 connections of the pool were held.",
        record.where(ask),
        evidence=tuple(
            f'connection {holder.connection.number} was held by task "{holder.task.name}" '
            f"from orders.py:77 in call_partner"
            for holder in holders
        ),
        task="order-4",
        loop=1,
        at=2_640 * MS,
        times=2,
    )
    return record, [finding]


def two_loops() -> Record:
    """One engine and three calls of `asyncio.run`, the second of which fails."""
    build = Build(ended=True)
    pool = build.pool()
    place = build.place(9, "main")
    loops = [build.loop(0, 21 * MS), build.loop(24 * MS, 37 * MS), build.loop(40 * MS, 63 * MS)]
    tasks = [
        build.task(f"Task-{number}", loop, "main", ended=loop.closed, end="finished")
        for number, loop in zip((1, 5, 9), loops, strict=True)
    ]
    first = build.connection(pool, tasks[0], 3 * MS, closed=34 * MS, end="invalidated")
    build.checkout(first, tasks[0], 8 * MS, 18 * MS, place=place)
    build.checkout(first, tasks[1], 27 * MS, 34 * MS, "invalidated", place=place)
    build.incident(Kind.CROSSED_LOOPS, 27 * MS, tasks[1], connection=first, place=place)
    second = build.connection(pool, tasks[2], 44 * MS)
    build.checkout(second, tasks[2], 48 * MS, 60 * MS, place=place)
    build.incident(Kind.IDLE_AT_LOOP_END, 63 * MS, tasks[2], connection=second)
    return build.done(64 * MS)


def cancelled() -> Record:
    """A request that is cancelled while it holds, on a server that another task goes on using."""
    build = Build()
    loop = build.loop(0)
    pool = build.pool("mysql+asyncmy")
    request = build.task("GET /report", loop, "report", ended=820 * MS, end="cancelled")
    health = build.task("health", loop, "check")
    held = build.connection(pool, request, 20 * MS)
    place = build.place(61, "report", "/srv/api/report.py")
    build.checkout(held, request, 40 * MS, place=place, interrupted=800 * MS)
    other = build.connection(pool, health, 60 * MS)
    for start in range(100, 1_500, 200):
        build.checkout(other, health, start * MS, (start + 60) * MS, place=place)
    build.mark(400 * MS, "statement", connection=held, task=request, took=300 * MS)
    return build.done(1_600 * MS)


def pubsub() -> Record:
    """Redis beside SQL: a subscription that is never given back, and many short commands."""
    build = Build(ended=True)
    loop = build.loop(0, 900 * MS)
    database, cache = build.pool(disposed=880 * MS), build.pool("redis")
    room = build.task("room lobby", loop, "listen", ended=890 * MS, end="cancelled")
    writer = build.task("Task-4", loop, "Chat.write", ended=700 * MS, end="finished")
    row = build.connection(database, writer, 20 * MS, closed=880 * MS, end="closed")
    listen = build.connection(cache, room, 30 * MS)
    command = build.connection(cache, writer, 40 * MS)
    for start in range(60, 660, 120):
        build.checkout(row, writer, start * MS, (start + 30) * MS, place=build.place(20, "write"))
        build.checkout(command, writer, (start + 40) * MS, (start + 41) * MS, place=build.place(22, "write"))
        build.checkout(command, writer, (start + 42) * MS, (start + 43) * MS, place=build.place(23, "write"))
    build.checkout(listen, room, 50 * MS, place=build.place(8, "listen"))
    return build.done(910 * MS)


def gap() -> Record:
    """Two short bursts with an hour between them."""
    build = Build()
    loop = build.loop(0)
    task = build.task("tick", loop)
    connection = build.connection(build.pool(), task, 1 * MS)
    for start in (2 * MS, 30 * MS, 3_600 * SECOND, 3_600 * SECOND + 40 * MS):
        build.checkout(connection, task, start, start + 20 * MS)
    return build.done(3_600 * SECOND + 70 * MS)


def busy(checkouts: int = 300, connections: int = 4, tasks: int = 30) -> Record:
    """Much traffic, in bursts, and one connection that is held."""
    build = Build()
    loop = build.loop(0)
    pool = build.pool()
    people = [build.task(f"client-{number:02}", loop, "serve") for number in range(1, tasks + 1)]
    opened = [build.connection(pool, people[0], number * MS) for number in range(connections)]
    places = [build.place(30 + number, f"handler_{number}", "/srv/api/handlers.py") for number in range(7)]
    for number in range(checkouts):
        lane, turn = number % connections, number // connections
        start = 10 * MS + turn * 9 * MS + (turn // 12) * 60 * MS + lane * 800
        if not (lane == 1 and turn > 20):
            length = 1_500 + (number * 37 % 11) * 500
            build.checkout(
                opened[lane], people[number * 7 % tasks], start, start + length, place=places[number % 7]
            )
    if connections > 1:
        build.checkout(opened[1], people[3], 10 * MS + 21 * 9 * MS + 60 * MS, place=places[3])
    end = max(checkout.until or 0 for checkout in build.record.checkouts)
    return build.done(end + 10 * MS)


def hostile(name: str) -> tuple[Record, list[Finding]]:
    """A record in which everything that a program can name is named `name`."""
    build = Build(faults=[name])
    build.record.program = name
    loop = build.loop(0, 90, thread=name)
    place = build.place(1, name, name)
    task = build.task(name, loop, name, test=name, waits=place)
    bare = build.task(name, None)
    bare.thread = name
    pool = build.pool(name)
    connection = build.connection(pool, task, 10)
    build.checkout(connection, task, 20, 40, name, place=place, by=bare)
    build.checkout(connection, bare, 50, place=place)
    build.mark(45, name, connection=connection, task=task, place=place)
    build.mark(46, "statement", connection=connection, task=task, took=10)
    build.incident(Kind.STALE, 44, task, connection=connection, place=place, text=name, pool=pool)
    build.incident(Kind.TIMED_OUT, 44, task, place=place, text=name, pool=pool, waited=30)
    where = Place(name, 1, name)
    about = {"task": name, "loop": 1, "loop_closed": True, "connection": 1, "age": 0.1, "at": 20, "test": name}
    inner = Finding("leaked-connection", name, where, (name,), **about)
    outer = Finding("registry-rebuilt", name, where, (name,), consequences=(inner,), **about)
    return build.done(100), [outer]
