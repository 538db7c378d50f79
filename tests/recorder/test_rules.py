"""Each code in a sentence, from the smallest record that gives it."""

from __future__ import annotations

from typing import Any

import pytest

from labkit.recorder import CODES, Finding, Record, find
from labkit.recorder.model import Checkout, Factory, Kind, Session

from .records import MS, SECOND, Build


class Case:
    """A loop, a task and a connection of one engine, in a program called shop.py."""

    def __init__(self, *, closed: int | None = None, kind: str = "mysql+asyncmy", **plain: Any) -> None:
        self.build = Build(**plain)
        self.loop = self.build.loop(0, closed)
        self.task = self.build.task("signup", self.loop, "save_user")
        self.made = self.at(3, "the module")
        self.pool = self.build.pool(kind)
        self.pool.place = self.made
        self.connection = self.build.connection(self.pool, self.task, 5 * MS)
        self.line = self.at(41, "save_user")
        self.connection.place = self.line

    def at(self, line: int, function: str) -> int:
        return self.build.place(line, function, "/srv/shop.py")

    def checkout(
        self, at: int = 10 * MS, until: int | None = None, end: str | None = None, **more: Any
    ) -> Checkout:
        more.setdefault("place", self.line)
        return self.build.checkout(self.connection, more.pop("task", self.task), at, until, end, **more)

    def session(self, kind: str = "session", **more: Any) -> Session:
        more.setdefault("place", self.line)
        session: Session = self.build._add("sessions", Session, kind, more.pop("task", self.task), **more)
        return session

    def factory(self, kind: str, built: int) -> Factory:
        factory: Factory = self.build._add("factories", Factory, kind, self.at(20, "get"), built)
        return factory

    def incident(self, kind: Kind, at: int = 36 * MS, **more: Any) -> None:
        more.setdefault("task", self.task)
        self.build.incident(kind, at, more.pop("task"), **more)

    def held(self, kind: Kind, checkout: Checkout, at: int = 36 * MS, **more: Any) -> None:
        self.incident(kind, at, checkout=checkout, connection=checkout.connection, place=checkout.place, **more)

    def found(self) -> list[Finding]:
        return find(self.build.done(90 * MS))

    def one(self) -> Finding:
        [finding] = self.found()
        assert finding.code in CODES
        assert (finding.pid, finding.times, finding.consequences) == (4242, 1, ())
        return finding


def test_a_connection_that_never_came_back_is_leaked() -> None:
    case = Case(closed=36 * MS)
    case.held(Kind.COLLECTED, case.checkout(until=71 * MS, end="collected"))
    finding = case.one()
    assert finding.code == "leaked-connection"
    assert finding.summary == (
        'connection 1 was checked out at shop.py:41 in save_user by task "signup" on loop #1 and never returned; '
        "loop #1 closed 26 ms later; the garbage collector took it back"
    )
    assert (finding.task, finding.loop, finding.loop_closed, finding.connection) == ("signup", 1, True, 1)
    assert finding.age == pytest.approx(0.026)
    assert str(finding.where) == "shop.py:41 in save_user"


def test_a_leak_that_came_back_says_so() -> None:
    case = Case(closed=36 * MS)
    case.held(Kind.HELD_AT_LOOP_END, case.checkout(until=2_010 * MS, end="returned"))
    assert case.one().summary.endswith(
        "and never returned; loop #1 closed 26 ms later; it did come back, 2 s after its checkout"
    )


def test_a_leak_that_is_still_out_says_what_ended() -> None:
    case = Case(ended=True)
    case.held(Kind.HELD_AT_EXIT, case.checkout())
    assert case.one().summary.endswith("and never returned; it was still out when the program ended")
    case = Case()
    case.held(Kind.HELD_AT_END, case.checkout(), text="test_signup")
    assert case.one().summary.endswith("and never returned; it was still out when test_signup ended")


def test_a_leak_shows_where_its_task_waits_now_and_who_called() -> None:
    case = Case()
    checkout = case.checkout()
    case.build.record.places[case.line] += [
        each for line in (50, 60, 70) for each in case.build.record.places[case.at(line, f"f{line}")]
    ]
    case.task.waits = case.at(44, "save_user")
    case.held(Kind.HELD_AT_LOOP_END, checkout)
    assert case.one().evidence == (
        "called from shop.py:50 in f50",
        "called from shop.py:60 in f60",
        "its task waits now at shop.py:44 in save_user",
    )


def test_a_leak_outside_every_loop_and_every_line_is_told_as_such() -> None:
    case = Case()
    thread = case.build.task("MainThread", None, "")
    case.held(Kind.COLLECTED, case.checkout(task=thread, place=0, until=20 * MS, end="collected"))
    finding = case.one()
    assert finding.summary == (
        "connection 1 was checked out in a library, with no line of yours on the stack by thread MainThread and "
        "never returned; the garbage collector took it back"
    )
    assert (finding.where, finding.loop) == (None, None)


@pytest.mark.parametrize("how", ["interrupted", "its task was cancelled"])
def test_a_leak_after_a_cancellation_is_a_cancellation(how: str) -> None:
    case = Case()
    checkout = case.checkout(until=30 * MS, end="collected")
    if how == "interrupted":
        checkout.interrupted = 20 * MS
    else:
        case.task.ended, case.task.end = 25 * MS, "cancelled"
    case.held(Kind.COLLECTED, checkout)
    finding = case.one()
    assert finding.code == "cancelled-while-holding"
    assert finding.summary == (
        'connection 1 was checked out at shop.py:41 in save_user by task "signup" on loop #1, was cancelled or '
        "timed out, and never returned it; the garbage collector took it back"
    )


def test_a_statement_cancelled_in_a_session_that_nobody_ended_is_told() -> None:
    case = Case()
    session = case.session()
    checkout = case.checkout(until=20 * MS, end="invalidated", session=session)
    case.held(Kind.CANCELLED, checkout, session=session)
    finding = case.one()
    assert finding.code == "cancelled-while-holding"
    assert finding.summary == (
        'connection 1, checked out at shop.py:41 in save_user by task "signup", was lost: its statement was '
        "cancelled, and nothing closed the session after it"
    )
    session.ended = 40 * MS
    assert case.found() == []


def test_a_write_without_a_commit_is_lost_however_its_session_ended() -> None:
    ends = {"collected": "was dropped", "with": "was left by its `async with`", "close": "was closed"}
    for end, words in [*ends.items(), (None, "ended")]:
        case = Case()
        case.incident(Kind.LOST_WRITE, place=case.line, session=case.session(end=end))
        finding = case.one()
        assert finding.code == "lost-write"
        assert finding.summary == (
            f'a session wrote at shop.py:41 in save_user in task "signup" on loop #1, and {words} without a commit'
            ": the rows are gone"
        )


@pytest.mark.parametrize(
    ("kind", "words"),
    [("registry", "registry of sessions (async_scoped_session)"), ("factory", "session factory")],
)
def test_sessions_of_what_is_built_each_time_are_rebuilt(kind: str, words: str) -> None:
    case = Case()
    session = case.session(**{kind: case.factory(kind, 3)})
    case.incident(Kind.LEFT_IN_SCOPE, session=session, text="with its connection")
    [finding] = case.found()
    assert finding.code == "registry-rebuilt"
    assert finding.summary == (
        f"a new {words} is built at shop.py:20 in get each time, 3 of them so far: what a session of one began, a "
        "session of another can't finish"
    )
    assert [each.code for each in finding.consequences] == ["scope-mismatch"]


def test_what_was_built_once_is_not_rebuilt() -> None:
    case = Case()
    session = case.session(registry=case.factory("registry", 1), factory=case.factory("factory", 1))
    case.held(Kind.COLLECTED, case.checkout(until=20 * MS, end="collected", session=session))
    assert case.one().code == "leaked-connection"


def test_engines_of_one_line_that_nobody_disposed_of_are_rebuilt() -> None:
    case = Case()
    maker = case.factory("engine", 2)
    other = case.build.pool()
    for pool in (case.pool, other):
        pool.maker, pool.place = maker, maker.place
    case.incident(Kind.DROPPED, pool=case.pool, connection=case.connection, place=maker.place)
    [finding] = case.found()
    assert finding.code == "registry-rebuilt"
    assert finding.summary == (
        "a new engine is built at shop.py:20 in get each time, 2 of them so far, each with connections of its own, "
        "and not disposed of"
    )
    assert [each.code for each in finding.consequences] == ["engine-not-disposed"]
    other.disposed = 1
    assert case.one().code == "engine-not-disposed"


def test_a_session_left_in_its_scope_is_a_mismatch_when_it_holds_or_is_not_alone() -> None:
    case = Case()
    case.incident(Kind.LEFT_IN_SCOPE, session=case.session(), text="with its connection")
    finding = case.one()
    assert finding.code == "scope-mismatch"
    assert finding.summary == (
        'task "signup" began a session at shop.py:41 in save_user and ended, and the registry still holds its '
        "session, and with it a connection"
    )
    case = Case()
    case.incident(Kind.LEFT_IN_SCOPE, session=case.session())
    assert case.found() == []
    other = case.build.task("other", case.loop)
    case.incident(Kind.LEFT_IN_SCOPE, session=case.session(task=other))
    assert [finding.times for finding in case.found()] == [2]


def test_a_session_given_to_another_task_is_a_mismatch() -> None:
    case = Case()
    case.incident(Kind.REUSED_SCOPE, session=case.session())
    assert case.one().summary == (
        'task "signup" began a session at shop.py:41 in save_user and ended, and the registry gave its session to '
        "another task"
    )


def test_two_tasks_in_one_session_share_it() -> None:
    case = Case()
    other = case.build.task("Task-7", case.loop, "worker")
    case.incident(
        Kind.OVERLAPPED,
        place=case.line,
        session=case.session(),
        other=other,
        other_place=case.at(60, "worker"),
        text="execute and commit",
    )
    finding = case.one()
    assert finding.code == "session-shared"
    assert finding.summary == (
        "two tasks were inside one session at the same time: task Task-7 (worker) in `execute` at shop.py:60 in "
        'worker, and task "signup" in `commit` at shop.py:41 in save_user'
    )


def test_an_operation_may_have_any_name() -> None:
    case = Case()
    case.incident(Kind.OVERLAPPED, place=case.line, session=case.session(), text="check and save and commit")
    assert "no task in `check`" in case.one().summary
    case = Case()
    case.incident(Kind.OVERLAPPED, place=case.line, session=case.session(), text="")
    assert case.one().code == "session-shared"


@pytest.mark.parametrize(
    ("kind", "code"), [("mysql+asyncmy", "pool-crossed-loops"), ("redis", "redis-crossed-loops")]
)
def test_a_connection_used_on_another_loop_has_crossed(kind: str, code: str) -> None:
    case = Case(closed=20 * MS, kind=kind)
    other = case.build.task("Task-2", case.build.loop(21 * MS), "main")
    case.incident(
        Kind.CROSSED_LOOPS, place=case.at(50, "main"), task=other, connection=case.connection, pool=case.pool
    )
    finding = case.one()
    assert finding.code == code
    assert finding.summary == (
        "connection 1 was opened at shop.py:41 in save_user on loop #1 (closed) and used at shop.py:50 in main by "
        "task Task-2 (main) on loop #2"
    )
    assert (finding.loop, finding.loop_closed) == (2, False)


def test_a_connection_used_in_a_forked_child_has_crossed() -> None:
    case = Case()
    case.incident(Kind.CROSSED_FORK, place=case.line, connection=case.connection, pool=case.pool)
    case.connection.pid = 4000
    finding = case.one()
    assert finding.code == "pool-crossed-fork"
    assert finding.summary == (
        "connection 1 was opened in process 4000 and used at shop.py:41 in save_user in its forked child 4242: "
        "both now speak on one socket"
    )


@pytest.mark.parametrize(
    ("kind", "when"),
    [
        (Kind.IDLE_AT_LOOP_END, "when loop #1 closed"),
        (Kind.IDLE_AT_EXIT, "when the program ended"),
        (Kind.DROPPED, "when the engine was dropped"),
    ],
)
def test_idle_connections_left_behind_were_not_disposed_of(kind: Kind, when: str) -> None:
    case = Case(closed=36 * MS)
    case.incident(kind, pool=case.pool, connection=case.connection)
    finding = case.one()
    assert finding.code == "engine-not-disposed"
    assert finding.summary == (
        "the engine made at shop.py:3 in the module was not disposed of: connection 1 lay idle in its pool "
        f"{when}; nobody closed it"
    )


def test_an_engine_that_was_disposed_of_too_early_is_not_called_forgotten() -> None:
    case = Case(closed=36 * MS)
    case.checkout(at=10 * MS, until=20 * MS, end="returned")
    case.pool.disposed = 11 * MS
    case.incident(Kind.IDLE_AT_LOOP_END, pool=case.pool, connection=case.connection)
    assert "was disposed of while connection 1 was out" in case.one().summary


def test_a_redis_client_with_open_connections_was_not_closed() -> None:
    case = Case(kind="redis")
    case.incident(Kind.IDLE_AT_LOOP_END, pool=case.pool, connection=case.connection)
    finding = case.one()
    assert finding.code == "redis-leaked-connection"
    assert finding.summary == (
        "the Redis client made at shop.py:3 in the module was never closed: connection 1 was open when its loop "
        "ended"
    )


def test_a_redis_lease_that_nobody_gave_back_is_leaked() -> None:
    case = Case(kind="redis")
    case.held(Kind.HELD_AT_LOOP_END, case.checkout())
    finding = case.one()
    assert finding.code == "redis-leaked-connection"
    assert finding.summary == (
        'Redis connection 1 was taken at shop.py:41 in save_user by task "signup" on loop #1 and never given back'
    )


def test_a_connection_gone_before_its_first_use_is_stale() -> None:
    case = Case()
    case.held(Kind.STALE, case.checkout(until=20 * MS), text="OperationalError")
    finding = case.one()
    assert finding.code == "stale-connection"
    assert finding.summary == (
        "connection 1 was closed by the server while it lay idle; its first use, at shop.py:41 in save_user by "
        'task "signup", failed with OperationalError'
    )


def test_who_waits_in_vain_is_told_how_long_and_who_holds() -> None:
    case = Case()
    holder = case.build.task("holder", case.loop, "report", waits=case.at(77, "call_partner"))
    held = case.checkout(task=holder)
    case.incident(
        Kind.TIMED_OUT, 2 * SECOND, place=case.at(50, "ask"), pool=case.pool, holders=(held,), waited=1_500 * MS
    )
    finding = case.one()
    assert finding.code == "pool-exhausted"
    assert finding.summary == (
        'task "signup" waited 1.5 s for a connection at shop.py:50 in ask, and got none: 1 were out'
    )
    assert finding.evidence == (
        'connection 1: task "holder" on loop #1, for 2 s, from shop.py:41 in save_user; it waits now '
        "at shop.py:77 in call_partner",
    )


def test_who_asks_a_full_pool_for_a_second_connection_waits_for_itself() -> None:
    case = Case()
    held = case.checkout(until=30 * MS)
    case.incident(Kind.NESTED, place=case.at(50, "ask"), checkout=held, connection=held.connection, holders=(held,))
    finding = case.one()
    assert finding.code == "nested-checkout"
    assert finding.summary == (
        'task "signup" asked for a second connection at shop.py:50 in ask while it held connection 1, checked out '
        "at shop.py:41 in save_user, and the pool was empty: it waited for what it held itself"
    )
    assert finding.evidence == ('connection 1: task "signup" on loop #1, for 20 ms, from shop.py:41 in save_user',)


def test_a_task_that_held_something_when_its_loop_ended_is_lost() -> None:
    case = Case()
    case.held(Kind.LOST_TASK, case.checkout(), other_place=case.at(48, "save_user"))
    finding = case.one()
    assert finding.code == "lost-task"
    assert finding.summary == (
        'task "signup" held connection 1, checked out at shop.py:41 in save_user, when its loop ended: nobody had '
        "waited for the task, and it was dropped at shop.py:48 in save_user"
    )


def test_a_generator_left_suspended_is_abandoned() -> None:
    case = Case()
    case.incident(Kind.ABANDONED_GENERATOR, place=case.line, session=case.session("connection"), text="rows")
    finding = case.one()
    assert finding.code == "abandoned-generator"
    assert finding.summary == (
        "the async generator `rows` was left suspended at shop.py:41 in save_user while it held a connection: what "
        "comes after that yield runs at some later time, or never"
    )


def test_an_attribute_that_was_not_loaded_needs_io() -> None:
    case = Case()
    case.incident(Kind.IMPLICIT_IO, place=case.line)
    finding = case.one()
    assert finding.code == "implicit-io"
    assert finding.summary == (
        "an attribute read at shop.py:41 in save_user was not loaded, and reading it needed the database outside "
        "every await"
    )


def test_a_primitive_of_another_loop_has_crossed() -> None:
    case = Case()
    case.incident(Kind.PRIMITIVE_CROSSED_LOOPS, place=case.line, text="Lock")
    finding = case.one()
    assert finding.code == "primitive-crossed-loops"
    assert finding.summary == (
        'task "signup" on loop #1 had to wait for an asyncio.Lock at shop.py:41 in save_user, which belongs to '
        "another loop"
    )


def test_a_patched_asyncio_is_told_where_it_was_patched() -> None:
    case = Case()
    case.incident(Kind.NEST_ASYNCIO, place=case.line)
    finding = case.one()
    assert finding.code == "nest-asyncio-active"
    assert finding.summary == (
        "asyncio is patched (at shop.py:41 in save_user): asyncio.run came back, and its loop did not close; what "
        "should have failed with it does not"
    )


def test_every_code_has_advice_and_a_lesson() -> None:
    for code in CODES.values():
        assert code.advice.endswith(".") or "`" in code.advice
        assert code.lesson.startswith("ch")


def test_every_kind_of_incident_alone_gives_a_finding_or_nothing_and_never_an_error() -> None:
    for kind in Kind:
        case = Case()
        case.incident(kind)
        for finding in case.found():
            assert finding.code in CODES


def test_nothing_happened_is_nothing_wrong() -> None:
    assert find(Record()) == find() == []
