"""What the mended jobs must do: answer as before, and leave nothing out, nothing idle and nothing on the server."""

import asyncio
from dataclasses import dataclass, field

from labkit import Engine, User
from labkit.course.promises import NotHere, TimedOut, expect
from labkit.course.story import fresh
from labkit.recorder import FlightRecorder
from labkit.scene import private_loop
from labkit.services import Capability, isolated_services
from labkit.services.evidence import connections

GUEST, STRANGER = "ada@example.org", "nobody@example.org"
UNSENDABLE = "\ud800"  # half a character: it can't be encoded, so the question fails
WORDS, WRONG = "Dear {name}", "Dear {nickname}"
OTHERS = {"Dear {0}": "IndexError", "Dear {name.first}": "AttributeError", "Dear {name": "ValueError"}
invited = set()  # databases in which the guests are; nobody changes them


@dataclass
class Seen:
    """What a job answered, and what was left of it when it had returned."""

    answers: list = field(default_factory=list)
    out: int = 0
    idle: int = 0
    listed: int = 0
    failures: tuple = ()
    findings: tuple = ()

    @property
    def answer(self):
        return self.answers[-1]


def watched(exercise, services, *jobs, ask_server=False, guests=True):
    """Run jobs one after the other, in a thread as a scheduler would; return what was seen."""
    if guests and services.database_url not in invited:
        private_loop(invite_guests, services).get()
        invited.add(services.database_url)
    seen = Seen()
    with FlightRecorder() as flight:
        outcome = private_loop(run_jobs, exercise, services, flight, seen, jobs, ask_server, timeout=10)
    if outcome.timed_out:
        raise TimedOut(f"no end within 10 s; {'; '.join(outcome.waiting)}")
    outcome.get()
    seen.failures, seen.findings = outcome.silent_failures, tuple(flight.findings())
    return seen


async def invite_guests(services):
    async with fresh(Engine, services) as engine:
        await engine.save(User(email="bob@example.org", name="Bob"), User(email=GUEST, name="Ada"))


async def run_jobs(exercise, services, flight, seen, jobs, ask_server):
    before = await listed(services) if ask_server else set()
    for job, argument in jobs:
        seen.answers.append(await asyncio.to_thread(answer_of, exercise.run, job, services.database_url, argument))
    # The garbage is not collected before this scene has ended: what was forgotten is still as it was left.
    counts = flight.statistics()
    seen.out, seen.idle = counts.out, counts.opened - counts.closed - counts.out
    if ask_server:
        seen.listed = await still_listed(services, await listed(services) - before)


def answer_of(run, job, database_url, argument):
    try:
        return run(job, database_url, argument)
    except Exception as error:  # its name is enough: the frames of its traceback would keep what was lost
        return type(error).__name__


async def listed(services):
    return {each.id for each in await connections(services)}


async def still_listed(services, ids):
    for _ in range(50):  # a server takes a moment to see that somebody has hung up
        left = ids & await listed(services)
        if not left:
            break
        await asyncio.sleep(0.02)
    return len(left)


def expect_none_out(seen, after):
    if seen.out:
        raise AssertionError(f"expected: 0 connections out of the pool after {after}; got: {seen.out}")


def expect_none_idle(seen, after):
    if seen.idle:
        raise AssertionError(f"expected: 0 connections left idle in a pool after {after}; got: {seen.idle}")


def every_way_out(exercise):
    return (
        *((exercise.find, email) for email in (GUEST, STRANGER, UNSENDABLE)),
        *((exercise.invite, words) for words in (WORDS, WRONG, *OTHERS)),
    )


def test_a_guest_is_found(exercise, services):
    seen = watched(exercise, services, (exercise.find, GUEST))
    expect("the name of a guest", found=seen.answer, to_be="Ada")


def test_a_stranger_is_nobody(exercise, services):
    seen = watched(exercise, services, (exercise.find, STRANGER))
    expect("the name of a stranger", found=seen.answer, to_be="nobody")


def test_the_guests_are_invited(exercise, services):
    seen = watched(exercise, services, (exercise.invite, WORDS))
    expect("the invitations", found=seen.answer, to_be=["Dear Ada", "Dear Bob"])


def test_an_error_is_still_an_error(exercise, services):
    seen = watched(exercise, services, (exercise.find, UNSENDABLE), (exercise.invite, WRONG))
    expect(
        "an email that can't be sent, and a wrong text",
        found=seen.answers,
        to_be=["UnicodeEncodeError", "KeyError"],
    )


def test_the_jobs_can_be_run_again(exercise, services):
    jobs = (exercise.find, GUEST), (exercise.invite, WORDS)
    seen = watched(exercise, services, *jobs, *jobs)
    expect("the answers of each job, twice", found=seen.answers, to_be=["Ada", ["Dear Ada", "Dear Bob"]] * 2)


def test_a_guest_costs_no_connection(exercise, services):
    expect_none_out(watched(exercise, services, (exercise.find, GUEST)), "a guest was found")


def test_a_stranger_costs_no_connection(exercise, services):
    expect_none_out(watched(exercise, services, (exercise.find, STRANGER)), "a stranger was looked for")


def test_an_email_that_fails_costs_no_connection(exercise, services):
    expect_none_out(watched(exercise, services, (exercise.find, UNSENDABLE)), "an email that can't be sent")


def test_invitations_cost_no_connection(exercise, services):
    seen = watched(exercise, services, (exercise.invite, WORDS), (exercise.invite, WRONG))
    expect_none_out(seen, "invitations were written")


def test_invitations_leave_nothing_idle(exercise, services):
    expect_none_idle(watched(exercise, services, (exercise.invite, WORDS)), "invitations were written")


def test_a_wrong_text_leaves_nothing_idle(exercise, services):
    expect_none_idle(watched(exercise, services, (exercise.invite, WRONG)), "a wrong text")


def test_find_leaves_nothing_idle(exercise, services):
    jobs = [(exercise.find, email) for email in (GUEST, STRANGER, UNSENDABLE)]
    expect_none_idle(watched(exercise, services, *jobs), "names were looked for")


def test_the_server_lists_nothing_afterwards(exercise, services):
    if Capability.PROCESSLIST in services.capabilities:
        seen = watched(exercise, services, *every_way_out(exercise), ask_server=True)
        if seen.listed:
            raise AssertionError(f"expected: 0 connections on the server after all jobs; got: {seen.listed}")


def test_nothing_is_left_to_the_garbage_collector(exercise, services):
    failures = watched(exercise, services, *every_way_out(exercise)).failures
    if failures:
        raise AssertionError(f"expected: nothing fails in silence; got: {failures[0].headline}")


def test_the_flight_recorder_finds_nothing(exercise, services):
    for each in every_way_out(exercise):
        findings = watched(exercise, services, each).findings
        if findings:
            raise AssertionError(f"expected: no finding; got: {findings[0].code}: {findings[0].summary}")


def test_every_other_error_is_still_an_error(exercise, services):
    seen = watched(exercise, services, *((exercise.invite, words) for words in OTHERS))
    expect("the errors of other wrong texts", found=seen.answers, to_be=list(OTHERS.values()))


def test_what_the_server_refuses_costs_no_connection(exercise, services):
    with isolated_services(services) as other:  # where there is no table yet
        if other.database_url == services.database_url:
            raise NotHere("there is no second database")
        jobs = (exercise.find, GUEST), (exercise.invite, WORDS)
        for job in jobs:
            seen = watched(exercise, other, job, guests=False)
            expect("the error where there is no table", found=seen.answer, to_be="ProgrammingError")
            expect_none_out(seen, "a question that the server refused")
            expect_none_idle(seen, "a question that the server refused")
