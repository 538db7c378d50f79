"""What the mended program must do: serve every loop, and leave nothing to the server, the room or the garbage."""

import asyncio
import os
from contextlib import suppress
from itertools import count

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError

from labkit.contract.stage import on_another_loop
from labkit.course.promises import TimedOut, expect, play
from labkit.scene import private_loop
from labkit.services.evidence import redis_clients

PATIENCE = 2.0  # seconds for what takes some hundredths
DAY = 24 * 3600.0  # seconds
NOBODY_LISTENS = "redis://127.0.0.1:1"

rooms = count(1)


class Burnt(Exception):
    """What goes wrong in a kitchen."""


def new_room():
    return f"kitchen {os.getpid()}-{next(rooms)}"


def played(scene, exercise, services, *, timeout=10):
    """Play a scene in a room where nobody has been; raise what it raises."""
    outcome = private_loop(scene, exercise, services, new_room(), timeout=timeout)
    if outcome.timed_out:
        raise TimedOut(f"no end within 10 s; {'; '.join(outcome.waiting)}")
    # What is left to the garbage is a matter for the last test.
    return outcome.get()


async def soon(awaitable, what):
    try:
        async with asyncio.timeout(PATIENCE):
            return await awaitable
    except TimeoutError:
        raise AssertionError(f"expected: {what}; got: nothing within {PATIENCE:g} s") from None


async def names_in(services, room):
    """Return who is in a room as Redis says it, asked by a client of the test's own."""
    async with Redis.from_url(services.redis_url, decode_responses=True) as client:
        return await client.smembers(room)


async def clients_of(services):
    return {each.id for each in await redis_clients(services)}


async def count_left(services, before):
    """Return how many clients Redis lists that were not there before; it takes a moment to see one leave."""
    for _ in range(50):
        left = await clients_of(services) - before
        if not left:
            break
        await asyncio.sleep(0.02)
    return len(left)


async def meet(exercise, services, room):
    """Ada is there, Bob comes and goes; return what Ada saw."""
    async with exercise.present(services.redis_url, room, "Ada") as next_arrival:
        async with exercise.present(services.redis_url, room, "Bob"):
            both = await names_in(services, room)
            heard = await soon(next_arrival(), "Ada hears of Bob")
        return both, heard, await names_in(services, room)


async def meet_and_count(exercise, services, room):
    before = await clients_of(services)
    await meet(exercise, services, room)
    return await count_left(services, before)


async def hear_on(exercise, services, room):
    """Bob leaves, then Cy comes; return what Ada hears."""
    async with exercise.present(services.redis_url, room, "Ada") as next_arrival:
        async with exercise.present(services.redis_url, room, "Bob"):
            pass
        async with exercise.present(services.redis_url, room, "Cy"):
            return [await soon(next_arrival(), f"Ada hears of {who}") for who in ("Bob", "Cy")]


async def hear_late(exercise, services, room):
    """Bob comes a day later, by the clock of the loop; return whom Ada hears, who has waited all the time."""
    loop = asyncio.get_running_loop()
    async with exercise.present(services.redis_url, room, "Ada") as next_arrival:
        waiting = asyncio.create_task(next_arrival())
        await asyncio.sleep(0.05)  # now she waits
        clock = loop.time
        loop.time = lambda: clock() + DAY  # whatever has a limit is over
        await asyncio.sleep(0.05)
        async with exercise.present(services.redis_url, room, "Bob"):
            return await soon(waiting, "Ada hears of Bob, who comes a day later")


async def be_refused(exercise, services, room):
    """Return the error of a room that is none: Redis has a text under its name."""
    async with Redis.from_url(services.redis_url) as client:
        await client.set(room, "a text")
    return await what_is_left_by(burn, exercise, services, room, ask_names=False)


async def find_nobody(exercise, services, room):
    async with exercise.present(NOBODY_LISTENS, room, "Ada"):
        pass


async def two_at_once(exercise, services, room):
    """Bob comes and goes on a loop of his own, in a thread; return what Ada saw of it."""
    async with exercise.present(services.redis_url, room, "Ada") as next_arrival:
        both = await on_another_loop(visit, exercise, services, room, "Bob")
        heard = await soon(next_arrival(), "Ada hears of Bob, who is on another loop")
        return both, heard, await names_in(services, room)


async def visit(exercise, services, room, who):
    async with exercise.present(services.redis_url, room, who):
        return await names_in(services, room)


async def burn(exercise, services, room):
    async with exercise.present(services.redis_url, room, "Ada"):
        raise Burnt


async def wait_for_nobody(exercise, services, room):
    """Ada waits for somebody who never comes, and is cancelled."""
    arrived = asyncio.Event()

    async def stay():
        async with exercise.present(services.redis_url, room, "Ada") as next_arrival:
            arrived.set()
            await next_arrival()

    waiting = asyncio.create_task(stay())
    signal = asyncio.create_task(arrived.wait())
    await asyncio.wait([waiting, signal], return_when=asyncio.FIRST_COMPLETED)
    signal.cancel()
    waiting.cancel()
    await waiting


async def what_is_left_by(scene, exercise, services, room, *, ask_names=True):
    """Play a scene that ends badly; return its error, who is still in the room, and how many clients are left."""
    before = await clients_of(services)
    try:
        # A task of its own, as it would have in a program: nothing of it is on the way any more when it has ended.
        await asyncio.create_task(scene(exercise, services, room))
        error = None
    except (Exception, asyncio.CancelledError) as raised:
        error = type(raised).__name__
    names = await names_in(services, room) if ask_names else set()
    return error, names, await count_left(services, before)


async def after_an_error(exercise, services, room):
    return await what_is_left_by(burn, exercise, services, room)


async def after_a_cancellation(exercise, services, room):
    return await what_is_left_by(wait_for_nobody, exercise, services, room)


async def everything(exercise, services, room):
    for scene in (meet, hear_on, two_at_once, burn, wait_for_nobody):
        with suppress(Exception, asyncio.CancelledError):
            await asyncio.create_task(scene(exercise, services, f"{room} {scene.__name__}"))


def told(scene, exercise, services, wanted, *, timeout=10):
    """Return what a scene gives; an error of the program's is a broken promise."""
    try:
        return played(scene, exercise, services, timeout=timeout)
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"expected: {wanted}; got: {type(error).__name__}: {error}") from error


def expect_meeting(seen):
    both, heard, afterwards = seen
    expect("who is in the room with Ada", found=both, to_be={"Ada", "Bob"})
    expect("whom Ada hears arrive", found=heard, to_be="Bob")
    expect("who is in the room when Bob has gone", found=afterwards, to_be={"Ada"})


def test_those_who_are_there_see_each_other(exercise, services):
    expect_meeting(told(meet, exercise, services, "Ada and Bob meet"))


def test_a_second_loop_is_served_as_the_first_one_was(exercise, services):
    for which in ("second", "third", "fourth"):
        expect_meeting(told(meet, exercise, services, f"they meet on a {which} loop"))


def test_redis_lists_no_client_after_the_last_block(exercise, services):
    left = told(meet_and_count, exercise, services, "Ada and Bob meet")
    expect("no client on the Redis server after the last block", found=left, to_be=0)


def test_one_leaves_and_the_other_goes_on_hearing(exercise, services):
    heard = told(hear_on, exercise, services, "Ada hears of Bob and of Cy")
    expect("whom Ada hears arrive", found=heard, to_be=["Bob", "Cy"])


def test_two_loops_at_once_do_not_disturb_each_other(exercise, services):
    expect_meeting(told(two_at_once, exercise, services, "they meet from two loops"))


def test_a_block_that_fails_leaves_nothing(exercise, services):
    error, names, left = told(after_an_error, exercise, services, "the block's own error")
    expect("the error that ended the block", found=error, to_be="Burnt")
    expect("nobody in the room after an error", found=names, to_be=set())
    expect("no client on the Redis server after an error", found=left, to_be=0)


def test_a_block_that_is_cancelled_leaves_nothing(exercise, services):
    error, names, left = told(after_a_cancellation, exercise, services, "the cancellation")
    expect("the error that ended the block", found=error, to_be="CancelledError")
    expect("nobody in the room after a cancellation", found=names, to_be=set())
    expect("no client on the Redis server after a cancellation", found=left, to_be=0)


def test_nothing_is_left_to_the_garbage(exercise, services):
    play(everything, exercise, services, new_room(), timeout=20)


def test_who_comes_late_is_heard(exercise, services):
    heard = told(hear_late, exercise, services, "Ada hears of Bob, who comes a day later", timeout=DAY + 10)
    expect("whom Ada hears arrive, after a day", found=heard, to_be="Bob")


def test_an_error_of_redis_comes_out_and_leaves_nothing(exercise, services):
    error, _, left = told(be_refused, exercise, services, "the error of Redis")
    expect("the error of a room that is none", found=error, to_be=ResponseError.__name__)
    expect("no client on the Redis server after an error of Redis", found=left, to_be=0)
    outcome = private_loop(find_nobody, exercise, services, new_room(), timeout=10)
    found = type(outcome.exception).__name__ if outcome.exception else "no error"
    expect("the error where no Redis listens", found=found, to_be=NoConnection.__name__)
