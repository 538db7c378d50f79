"""Consequences lie under their cause, and many occurrences of one fault are one finding."""

from __future__ import annotations

from labkit.recorder import CODES, find
from labkit.recorder.model import Kind
from labkit.recorder.rules.folding import EVIDENCE, EXPLAINS

from .records import MS
from .test_rules import Case


def test_three_leaks_of_one_rebuilt_registry_are_one_finding() -> None:
    case = Case(closed=90 * MS)
    maker = case.factory("registry", 3)
    for number in range(3):
        session = case.session(registry=maker)
        checkout = case.checkout((10 + number) * MS, 50 * MS, "collected", session=session)
        case.held(Kind.COLLECTED, checkout, (50 + number) * MS)
        case.incident(Kind.LOST_WRITE, place=case.at(43, "save_user"), session=session, checkout=checkout)
    [finding] = case.found()
    assert (finding.code, finding.times) == ("registry-rebuilt", 3)
    assert [(each.code, each.times) for each in finding.consequences] == [
        ("leaked-connection", 3),
        ("lost-write", 3),
    ]


def test_leaks_at_one_line_are_one_finding_with_the_others_as_evidence() -> None:
    case = Case()
    for number in range(3):
        task = case.build.task(f"client-{number}", case.loop)
        case.held(Kind.COLLECTED, case.checkout(task=task, until=20 * MS, end="collected"))
    [finding] = case.found()
    assert (finding.times, finding.task) == (3, "client-0")
    assert [line.partition(" by ")[2].partition(" on ")[0] for line in finding.evidence] == [
        'task "client-1"',
        'task "client-2"',
    ]


def test_leaks_at_two_lines_are_two_findings() -> None:
    case = Case()
    for place in (case.line, case.at(60, "other")):
        case.held(Kind.COLLECTED, case.checkout(place=place, until=20 * MS, end="collected"))
    assert [finding.where and finding.where.line for finding in case.found()] == [41, 60]


def test_a_pool_exhausted_by_a_leak_is_told_under_the_leak() -> None:
    case = Case()
    leaked = case.checkout(until=80 * MS, end="collected")
    case.incident(Kind.TIMED_OUT, place=case.at(50, "ask"), pool=case.pool, holders=(leaked,), waited=30 * MS)
    case.held(Kind.COLLECTED, leaked)
    [finding] = case.found()
    assert finding.code == "leaked-connection"
    assert [each.code for each in finding.consequences] == ["pool-exhausted"]


def test_a_pool_exhausted_by_slow_holders_is_told_alone() -> None:
    case = Case()
    slow = case.checkout(until=80 * MS)
    other = case.build.connection(case.build.pool(), case.task, 1)
    leaked = case.build.checkout(other, case.task, 10 * MS, 20 * MS, "collected", place=case.line)
    case.incident(Kind.TIMED_OUT, place=case.at(50, "ask"), pool=case.pool, holders=(slow,), waited=30 * MS)
    case.held(Kind.COLLECTED, leaked)
    assert sorted(finding.code for finding in case.found()) == ["leaked-connection", "pool-exhausted"]


def test_what_follows_from_a_consequence_lies_under_the_same_cause() -> None:
    case = Case()
    session = case.session(registry=case.factory("registry", 2))
    leaked = case.checkout(until=80 * MS, end="collected", session=session)
    asking = case.at(50, "ask")
    case.held(Kind.COLLECTED, leaked)
    case.incident(Kind.NESTED, place=asking, checkout=leaked, connection=leaked.connection, pool=case.pool)
    case.incident(Kind.TIMED_OUT, place=asking, pool=case.pool, holders=(leaked,), waited=30 * MS)
    [finding] = case.found()
    assert finding.code == "registry-rebuilt"
    assert {each.code for each in finding.consequences} == {
        *("leaked-connection", "nested-checkout", "pool-exhausted")
    }
    assert all(each.consequences == () for each in finding.consequences)


def test_a_nested_checkout_explains_the_time_out_of_the_same_task() -> None:
    case = Case()
    held = case.checkout(until=80 * MS)
    case.incident(Kind.NESTED, place=case.line, checkout=held, connection=held.connection, pool=case.pool)
    case.incident(Kind.TIMED_OUT, place=case.line, pool=case.pool, holders=(held,), waited=30 * MS)
    [finding] = case.found()
    assert (finding.code, [each.code for each in finding.consequences]) == ("nested-checkout", ["pool-exhausted"])


def test_a_lost_task_explains_what_it_held() -> None:
    case = Case(closed=50 * MS)
    held = case.checkout()
    case.held(Kind.LOST_TASK, held)
    case.held(Kind.HELD_AT_LOOP_END, held, 50 * MS)
    [finding] = case.found()
    assert (finding.code, [each.code for each in finding.consequences]) == ("lost-task", ["leaked-connection"])


def test_a_crossed_loop_explains_the_leak_that_its_error_leaves() -> None:
    case = Case(closed=20 * MS)
    other = case.build.task("again", case.build.loop(21 * MS))
    taken = case.checkout(30 * MS, 40 * MS, "collected", task=other)
    case.incident(
        Kind.CROSSED_LOOPS, place=case.line, task=other, connection=case.connection, pool=case.pool, checkout=taken
    )
    case.held(Kind.COLLECTED, taken)
    [finding] = case.found()
    assert finding.code == "pool-crossed-loops"
    assert [each.code for each in finding.consequences] == ["leaked-connection"]


def test_a_pool_that_crossed_loops_many_times_is_one_finding() -> None:
    case = Case(closed=20 * MS)
    for number in range(4):
        other = case.build.task(f"run {number}", case.build.loop((21 + number) * MS))
        case.incident(
            Kind.CROSSED_LOOPS,
            place=case.at(50 + number, "main"),
            task=other,
            connection=case.connection,
            pool=case.pool,
        )
    [finding] = case.found()
    assert (finding.times, finding.evidence, finding.task) == (4, (), "run 0")


def test_evidence_has_a_bound() -> None:
    case = Case()
    for number in range(100):
        task = case.build.task(f"client-{number}", case.loop)
        case.held(Kind.COLLECTED, case.checkout(task=task, until=20 * MS, end="collected"))
    [finding] = case.found()
    assert (finding.times, len(finding.evidence)) == (100, EVIDENCE)


def test_the_same_checkout_is_leaked_once_however_often_it_comes_to_light() -> None:
    case = Case(closed=36 * MS)
    leaked = case.checkout(until=80 * MS, end="collected")
    for kind in (Kind.HELD_AT_END, Kind.HELD_AT_LOOP_END, Kind.COLLECTED):
        case.held(kind, leaked)
    assert case.one().code == "leaked-connection"


def test_causes_and_consequences_are_codes_and_nothing_explains_itself() -> None:
    for cause, consequences in EXPLAINS.items():
        assert {cause, *consequences} <= CODES.keys()
        assert cause not in consequences


def test_findings_of_one_record_come_in_the_same_order_each_time() -> None:
    def record() -> list[str]:
        case = Case()
        for number in range(5):
            place = case.at(60 + number, f"f{number}")
            case.held(Kind.COLLECTED, case.checkout(place=place, until=20 * MS, end="collected"))
            case.incident(Kind.IMPLICIT_IO, place=place)
        return [repr(finding) for finding in case.found()]

    assert record() == record()
    assert len(record()) == 10


def test_a_child_that_breaks_its_parents_connection_explains_what_the_parent_sees() -> None:
    parent, child = Case(), Case()
    child.build.record.pid = 5000
    child.incident(Kind.CROSSED_FORK, place=child.line, connection=child.connection, pool=child.pool)
    parent.held(Kind.STALE, parent.checkout(until=20 * MS), text="OperationalError")
    parent.held(Kind.COLLECTED, parent.checkout(until=40 * MS, end="collected"))
    findings = find(parent.build.done(90 * MS), child.build.done(90 * MS))
    assert [(finding.code, finding.pid) for finding in findings] == [("pool-crossed-fork", 5000)]
    assert {(each.code, each.pid) for each in findings[0].consequences} == {
        ("stale-connection", 4242),
        ("leaked-connection", 4242),
    }


def test_a_childs_checkouts_are_not_its_parents() -> None:
    parent, child = Case(), Case()
    child.build.record.pid = 5000
    leaked = child.checkout(until=20 * MS, end="collected")
    child.held(Kind.COLLECTED, leaked)
    held = parent.checkout(until=80 * MS)
    parent.incident(Kind.TIMED_OUT, place=parent.line, pool=parent.pool, holders=(held,), waited=MS)
    findings = find(parent.build.done(90 * MS), child.build.done(90 * MS))
    assert {finding.code for finding in findings} == {"leaked-connection", "pool-exhausted"}


def test_a_connection_that_leaked_before_loops_were_crossed_is_a_finding_of_its_own() -> None:
    case = Case()
    early = case.checkout(10 * MS)
    case.held(Kind.COLLECTED, early, 90 * MS)
    late = case.checkout(50 * MS)
    case.held(Kind.COLLECTED, late, 95 * MS)
    connection = late.connection
    case.incident(Kind.CROSSED_LOOPS, 50 * MS, checkout=late, connection=connection, pool=connection.pool)

    found = {each.code: each for each in case.found()}
    assert sorted(found) == ["leaked-connection", "pool-crossed-loops"]
    assert found["leaked-connection"].times == 1
    assert [(each.code, each.times) for each in found["pool-crossed-loops"].consequences] == [
        ("leaked-connection", 1)
    ]
