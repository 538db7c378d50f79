"""What the mended greeter must do: answer as before, and owe the pool, the server and the log nothing."""

import asyncio
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from labkit import Engine, User
from labkit.course.promises import NotHere, TimedOut
from labkit.course.story import fresh
from labkit.scene import private_loop
from labkit.services import isolated_services
from labkit.services.evidence import connections

GUEST = "ada@example.org", "Hello, {name}!"
STRANGER = "nobody@example.org", "Hello, {name}!"
WRONG = "ada@example.org", "Hello, {nickname}!"
OTHERS = {"Hello, {0}!": IndexError, "Hello, {name.first}!": AttributeError, "Hello, {name": ValueError}
UNSENDABLE = "\ud800", "Hello, {name}!"  # half a character: it can't be encoded, so the question fails
EVERYBODY = GUEST, STRANGER, WRONG, *(("ada@example.org", greeting) for greeting in OTHERS)
CROWD = 10
PATIENCE = 2.0  # seconds for what takes some hundredths
invited = set()  # databases in which Ada is; nobody changes them


def played(scene, exercise, services, *arguments):
    """Play a scene with one guest in the table; return all that came out."""
    if services.database_url not in invited:
        private_loop(invite_ada, services).get()
        invited.add(services.database_url)
    outcome = private_loop(scene, exercise, services, *arguments, timeout=10)
    if outcome.timed_out:
        raise TimedOut(f"no end within 10 s; {'; '.join(outcome.waiting)}")
    return outcome


async def invite_ada(services):
    async with fresh(Engine, services) as engine:
        await engine.save(User(email="ada@example.org", name="Ada"))


@asynccontextmanager
async def open_greeter(exercise, services):
    greeter = exercise.Greeter(services.database_url)
    try:
        yield greeter
    finally:
        await greeter.close()


async def greet(exercise, services, visit):
    async with open_greeter(exercise, services) as greeter:
        return await greeter.greet(*visit)


def expect_answer(exercise, services, visit, wanted):
    found = played(greet, exercise, services, visit).get()
    if found != wanted:
        raise AssertionError(f"expected: {wanted!r}; got: {found!r}")


def pool_of(greeter):
    engine = getattr(greeter, "engine", None)
    if not hasattr(engine, "pool"):
        own = ", ".join(f"self.{name}" for name in getattr(greeter, "__dict__", ())) or "nothing"
        raise AssertionError(f"expected: the engine as `self.engine`, where the check finds its pool; got: {own}")
    if not (isinstance(engine.pool, NullPool) or hasattr(engine.pool, "checkedout")):
        raise AssertionError(f"expected: a pool that counts what is out; got: {type(engine.pool).__name__}")
    return engine.pool


async def find_pool(exercise, services):
    async with open_greeter(exercise, services) as greeter:
        pool_of(greeter)


async def count_out(exercise, services, visit):
    before = {each.id for each in await connections(services)}
    async with open_greeter(exercise, services) as greeter:
        with suppress(Exception):
            await greeter.greet(*visit)
        pool = pool_of(greeter)
        # A pool that keeps nothing counts nothing: what the server lists is out.
        return len(await left_since(before, services)) if isinstance(pool, NullPool) else pool.checkedout()


async def left_since(before, services):
    for _ in range(25):  # a server takes a moment to see that somebody has hung up
        left = {each.id for each in await connections(services)} - before
        if not left:
            break
        await asyncio.sleep(0.02)
    return left


def expect_none_out(exercise, services, visit, after):
    out = played(count_out, exercise, services, visit).get()
    if out:
        raise AssertionError(f"expected: 0 connections out of the pool after {after}; got: {out}")


async def greet_a_crowd(exercise, services):
    async with open_greeter(exercise, services) as greeter:
        tasks = [asyncio.create_task(greeter.greet(*STRANGER)) for _ in range(CROWD)]
        done, late = await asyncio.wait(tasks, timeout=PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len([task for task in done if task.exception() is None])


async def greet_everybody(greeter):
    for visit in EVERYBODY:
        with suppress(Exception):
            await asyncio.wait_for(greeter.greet(*visit), PATIENCE)


async def count_left(exercise, services):
    before = {each.id for each in await connections(services)}
    async with open_greeter(exercise, services) as greeter:
        await greet_everybody(greeter)
    return len(await left_since(before, services))


async def count_kept(exercise, services):
    before = {each.id for each in await connections(services)}
    async with open_greeter(exercise, services) as greeter:
        await greet_everybody(greeter)
        if isinstance(pool_of(greeter), NullPool):
            return "NullPool, which keeps none"
        return len({each.id for each in await connections(services)} - before)


async def open_and_greet(exercise, services):
    async with open_greeter(exercise, services) as greeter:
        await greet_everybody(greeter)


def test_a_guest_is_greeted_by_name(exercise, services):
    expect_answer(exercise, services, GUEST, "Hello, Ada!")


def test_a_stranger_is_asked_who_they_are(exercise, services):
    expect_answer(exercise, services, STRANGER, "Who are you?")


def test_a_wrong_greeting_is_still_an_error(exercise, services):
    outcome = played(greet, exercise, services, WRONG)
    if not isinstance(outcome.exception, KeyError):
        found = outcome.exception or outcome.result
        raise AssertionError(f"expected: KeyError for a greeting with {{nickname}}; got: {found!r}")


def test_the_pool_is_found_by_the_name_engine(exercise, services):
    played(find_pool, exercise, services).get()


def test_a_guest_costs_no_connection(exercise, services):
    expect_none_out(exercise, services, GUEST, "a guest was greeted")


def test_a_stranger_costs_no_connection(exercise, services):
    expect_none_out(exercise, services, STRANGER, "a stranger came")


def test_a_wrong_greeting_costs_no_connection(exercise, services):
    for visit in WRONG, *(("ada@example.org", greeting) for greeting in OTHERS):
        expect_none_out(exercise, services, visit, "a wrong greeting")


def test_the_server_lists_no_connection_afterwards(exercise, services):
    left = played(count_left, exercise, services).get()
    if left:
        raise AssertionError(f"expected: no connection on the server after `close`; got: {left}")


def test_nothing_is_left_to_the_garbage_collector(exercise, services):
    failures = played(open_and_greet, exercise, services).silent_failures
    if failures:
        raise AssertionError(f"expected: nothing fails in silence; got: {failures[0].headline}")


def test_a_question_that_fails_costs_no_connection(exercise, services):
    expect_none_out(exercise, services, UNSENDABLE, "an email that can't be sent")


def test_a_crowd_of_strangers_is_answered(exercise, services):
    answered = played(greet_a_crowd, exercise, services).get()
    if answered != CROWD:
        raise AssertionError(f"expected: {CROWD} strangers at once are answered; got: {answered}")


def test_one_connection_is_kept_for_the_next(exercise, services):
    kept = played(count_kept, exercise, services).get()
    if kept != 1:
        raise AssertionError(f"expected: the pool keeps 1 connection for those who come next; got: {kept}")


def test_every_error_comes_out(exercise, services):
    for greeting, error in OTHERS.items():
        outcome = played(greet, exercise, services, ("ada@example.org", greeting))
        if not isinstance(outcome.exception, error):
            found = outcome.exception or outcome.result
            raise AssertionError(f"expected: {error.__name__} for {greeting!r}; got: {found!r}")
    outcome = played(greet, exercise, services, UNSENDABLE)
    if not isinstance(outcome.exception, UnicodeEncodeError):
        found = outcome.exception or outcome.result
        raise AssertionError(f"expected: UnicodeEncodeError for an email that can't be sent; got: {found!r}")


def test_a_question_that_the_server_refuses_costs_no_connection(exercise, services):
    with isolated_services(services) as other:  # where there is no table yet
        if other.database_url == services.database_url:
            raise NotHere("there is no second database")
        outcome = private_loop(greet, exercise, other, GUEST, timeout=10)
        if not isinstance(outcome.exception, ProgrammingError):
            found = outcome.exception or outcome.result
            raise AssertionError(f"expected: ProgrammingError where there is no table; got: {found!r}")
        out = private_loop(count_out, exercise, other, GUEST, timeout=10).get()
        if out:
            raise AssertionError(f"expected: 0 connections out after the server refused; got: {out}")
