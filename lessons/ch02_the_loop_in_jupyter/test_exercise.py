"""What `run_now` must do, in a script and in a notebook, whatever it is made of."""

import _thread
import asyncio
import gc
import secrets
import signal
import threading
import time
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from labkit.scene import is_silent_failure
from labkit.scene.capture import Capture
from labkit.services import Capability
from labkit.services.evidence import connections

LIMIT = 4.0  # seconds
MOMENT = 1.0  # seconds in which a thread may end, or a server see that somebody has hung up

# Python's own, and the threads that were there before any code of the exercise.
run, Runner = asyncio.run, asyncio.Runner
first_threads = frozenset(threading.enumerate())
hung = set()  # the places where a call did not come to its end: nobody waits for that twice


class NoEnd(BaseException):
    """The time is over; no `except Exception` keeps it back."""


class GaveUp(BaseException):
    """An error that is no `Exception`."""


# Two places from which `run_now` is called. Both are in the main thread, as a script and a cell are.


def in_a_script(scene):
    scene()


def in_a_notebook(scene):
    async def cell():
        scene()

    with Runner() as runner:
        runner.run(cell())


PLACES = in_a_script, in_a_notebook


def words(place):
    return place.__name__.replace("_", " ")


def play(place, scene):
    """Play a scene at a place, which must come to its end; return what failed in silence."""
    wanted = f"expected: an answer, {words(place)}, within {LIMIT:g} s"
    if place in hung:
        raise AssertionError(f"{wanted}; got: none, as before")
    gc.freeze()  # what was there before is none of the scene's
    try:
        with Capture() as heard:
            with alarm():
                place(scene)
            heard.loop_closed = True
            gc.collect()
    except NoEnd:
        hung.add(place)
        raise AssertionError(f"{wanted}; got: none, it waits for what never comes") from None
    finally:
        gc.unfreeze()
    return [each.headline for each in heard.happenings if is_silent_failure(each.text)]


@contextmanager
def alarm():
    """Raise `NoEnd` in the main thread, whatever it waits for, when the time is over."""

    def ring(*_):
        raise NoEnd

    if not hasattr(signal, "setitimer"):  # Windows
        with alarm_without_timer(ring):
            yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LIMIT, LIMIT / 4)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def alarm_without_timer(ring):
    """Ring by a Ctrl-C of our own. It ends a loop that waits, and no lock: of that the examiner tires."""
    over = threading.Event()

    def wait():
        if not over.wait(LIMIT):
            signal.raise_signal(signal.SIGINT)
        while not over.wait(LIMIT / 4):
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, ring)
    _thread.start_new_thread(wait, ())  # one that `threading` does not count: the exercise's own are counted
    try:
        yield
    finally:
        over.set()
        signal.signal(signal.SIGINT, before)


def parts_of_asyncio():
    """Return all functions and classes of asyncio, and of the class of its loops, by name."""
    kinds = asyncio.SelectorEventLoop, getattr(asyncio, "ProactorEventLoop", asyncio.SelectorEventLoop)
    loop_classes = dict.fromkeys(each for kind in kinds for each in kind.__mro__[:-1])
    owners = asyncio, asyncio.events, asyncio.futures, asyncio.runners, asyncio.tasks, *loop_classes
    return {
        f"{owner.__name__}.{name}": part for owner in owners for name, part in vars(owner).items() if callable(part)
    }


@contextmanager
def asyncio_as_it_is():
    """Check that asyncio is afterwards what it was before."""
    before = parts_of_asyncio()
    yield
    after = parts_of_asyncio()
    others = sorted(name for name in before.keys() | after.keys() if before.get(name) is not after.get(name))
    if others:
        some = ", ".join(others[:5])
        raise AssertionError(f"expected: asyncio as it was; got: {len(others)} parts are others, such as {some}")


@contextmanager
def running_loop_as_it_is():
    """Check that afterwards the same loop runs the same task, and can't be entered again."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    yield
    if asyncio.get_running_loop() is not loop or asyncio.current_task() is not task:
        raise AssertionError("expected: the same loop and task are running afterwards; got: others")
    if not is_refused(asyncio.run) or not is_refused(loop.run_until_complete):
        raise AssertionError("expected: the running loop can't be entered again; got: it can")


def is_refused(runs):
    coroutine = rest()
    try:
        runs(coroutine)
    except RuntimeError:
        return True
    finally:
        coroutine.close()
    return False


# What is run.


async def rest():
    for _ in range(5):
        await asyncio.sleep(0)


async def greet(name):
    await asyncio.sleep(0.01)
    return f"Hello, {name}!"


async def fail(error):
    await asyncio.sleep(0)
    raise error


async def own_loop():
    await rest()
    return asyncio.get_running_loop()


async def own_thread():
    await rest()
    return threading.current_thread()


async def take_a_turn(turns):
    turns.append("a turn")


async def leave_a_task(ended):
    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)  # so that nobody can be there before it by luck
            ended.append("the task")

    ended.append(asyncio.create_task(wait()))
    await rest()


async def use_a_thread():
    await asyncio.to_thread(time.sleep, 0)


async def leave_a_connection(services, held):
    engine, ready = create_async_engine(services.database_url), asyncio.Event()

    async def hold():
        try:
            async with engine.connect() as connection:
                held.append(await connection.scalar(text("SELECT CONNECTION_ID()")))
                ready.set()
                await asyncio.Event().wait()
        finally:
            await engine.dispose()

    held.append(asyncio.create_task(hold()))
    await ready.wait()


# What is wanted.


def expect_greeting(exercise):
    name = secrets.token_hex(3)
    found = exercise.run_now(greet, name)
    if found != f"Hello, {name}!":
        raise AssertionError(f"expected: 'Hello, {name}!'; got: {found!r}")


def test_in_a_script_it_gives_the_answer_and_leaves_asyncio_as_it_is(exercise):
    def scene():
        with asyncio_as_it_is():
            expect_greeting(exercise)

    play(in_a_script, scene)


def test_in_a_notebook_it_gives_the_answer_and_leaves_the_running_loop_as_it_is(exercise):
    def scene():
        with asyncio_as_it_is(), running_loop_as_it_is():
            expect_greeting(exercise)

    play(in_a_notebook, scene)


def test_an_error_comes_through(exercise):
    def scene():
        for error in LookupError("nobody of this name"), GaveUp("too late for today"):
            try:
                found = f"no error, and {exercise.run_now(fail, error)!r}"
            except NoEnd:
                raise
            except BaseException as raised:
                found = repr(raised)
                if raised is error:
                    continue
            raise AssertionError(f"expected: {error!r}; got: {found}")

    for place in PLACES:
        play(place, scene)


def test_the_thread_of_a_running_loop_runs_no_second_loop(exercise):
    def scene():
        if exercise.run_now(own_thread) is threading.current_thread():
            raise AssertionError("expected: one loop at a time in a thread; got: a second one inside the first")

    play(in_a_notebook, scene)


def test_nobody_on_the_running_loop_gets_a_turn_meanwhile(exercise):
    def scene():
        turns = []
        waiting = asyncio.get_running_loop().create_task(take_a_turn(turns))
        exercise.run_now(rest)
        waiting.cancel()
        if turns:
            raise AssertionError("expected: no turn for others without an `await`; got: another task had one")

    play(in_a_notebook, scene)


def test_the_loop_of_each_call_is_closed(exercise):
    def scene():
        for loop in exercise.run_now(own_loop), exercise.run_now(own_loop):
            if not loop.is_closed():
                raise AssertionError(f"expected: the loop of a call is closed after it; got: {loop!r}")

    for place in PLACES:
        play(place, scene)


def test_a_task_that_the_function_has_left_is_ended(exercise):
    def scene():
        ended = []
        exercise.run_now(leave_a_task, ended)
        if ended[1:] != ["the task"]:
            raise AssertionError(f"expected: it is cancelled, and has ended; got: {ended[0]!r}")

    for place in PLACES:
        play(place, scene)


def test_no_thread_is_left(exercise):
    def scene():
        timers = {each for each in threading.enumerate() if isinstance(each, threading.Timer)}  # the checker's
        exercise.run_now(use_a_thread)
        until = time.monotonic() + MOMENT
        while left := set(threading.enumerate()) - first_threads - timers:
            if time.monotonic() > until:
                raise AssertionError(f"expected: no thread is left; got: {left.pop()!r}")
            time.sleep(0.01)

    for place in PLACES:
        play(place, scene)


def test_no_connection_is_left_on_the_server(exercise, services):
    if Capability.PROCESSLIST not in services.capabilities:
        return
    for place in PLACES:
        held = []
        play(place, lambda held=held: exercise.run_now(leave_a_connection, services, held))
        if run(still_listed(services, held[1])):
            raise AssertionError(f"expected: the server lists no connection of it, {words(place)}; got: 1")


async def still_listed(services, number):
    until = time.monotonic() + MOMENT
    while listed := number in {each.id for each in await connections(services)}:
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.02)
    return listed


def test_a_call_inside_a_call_is_answered(exercise):
    async def ask():
        expect_greeting(exercise)

    for place in PLACES:
        play(place, lambda: exercise.run_now(ask))


def test_nothing_fails_in_silence(exercise):
    def scene():
        exercise.run_now(greet, "Ada")
        exercise.run_now(leave_a_task, [])
        exercise.run_now(use_a_thread)

    for place in PLACES:
        if heard := play(place, scene):
            raise AssertionError(f"expected: nothing fails in silence; got: {heard[0]}")
