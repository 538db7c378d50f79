"""What the mended runner must do: tell each complaint under the step whose it is, and leave nothing changed."""

import gc
import logging
import sys
import warnings
from contextlib import contextmanager, suppress

from sqlalchemy.exc import IntegrityError

from labkit import Engine, User
from labkit.bugs.never_closed import NeverClosed
from labkit.bugs.registry_rebuilt import RegistryRebuilt
from labkit.contract.stage import new_user, opened

POOL_LOG = logging.getLogger("sqlalchemy.pool")


class Untidy:
    """An object whose finaliser fails. It holds itself, so that only the garbage collector ends it."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        raise LookupError("nobody can catch this")


def save_a_user_twice(engine_class, services):
    async def step():
        with suppress(IntegrityError):
            await save_the_same_user(engine_class, services)

    return step


def save_a_user_twice_and_fail(engine_class, services):
    async def step():
        await save_the_same_user(engine_class, services)

    return step


async def save_the_same_user(engine_class, services):
    async with opened(engine_class, services) as engine:
        email = new_user().email
        await engine.save(User(email=email, name="Ada"))
        await engine.save(User(email=email, name="Ada"))


def look(services):
    """Return a step that loses nothing, and in which the garbage collector happens to come."""

    async def step():
        async with opened(Engine, services) as engine:
            await engine.find(User)
            gc.collect()

    return step


async def make_a_mess():
    Untidy()


async def leave():
    sys.exit("enough")


def state():
    """Return what a runner might change, by what it is called."""
    return {
        "the handlers of the pool's logger": POOL_LOG.handlers[:],
        "the filters of the pool's logger": POOL_LOG.filters[:],
        "the level of the pool's logger": POOL_LOG.level,
        "`propagate` of the pool's logger": POOL_LOG.propagate,
        "`disabled` of the pool's logger": POOL_LOG.disabled,
        "`sys.unraisablehook`": sys.unraisablehook,
        "whether the garbage collector is on": gc.isenabled(),
    }


@contextmanager
def tidied_up():
    """Give the state as it is, without garbage, and with a collector that comes when it is called; put it back."""
    gc.collect()
    gc.disable()
    before = state()
    handlers, filters, level, propagate, disabled, hook, _ = before.values()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they say the same again
        try:
            yield before
        finally:
            POOL_LOG.handlers[:] = handlers
            POOL_LOG.filters[:] = filters
            POOL_LOG.setLevel(level)
            POOL_LOG.propagate, POOL_LOG.disabled = propagate, disabled
            sys.unraisablehook = hook
            gc.collect()
            gc.enable()


def told_by(exercise, *steps):
    """Run the steps; return what was told until then, as pairs of a step's name and a text."""
    told = []
    with tidied_up():
        exercise.run_steps(list(steps), lambda name, text: told.append((name, text)))
        return list(told)


def expect_blamed(told, *wanted):
    found = dict.fromkeys(name for name, text in told)
    if list(found) != list(wanted):
        names = [" and ".join(f"“{name}”" for name in each) or "nobody" for each in (wanted, found)]
        raise AssertionError(f"expected: complaints about {names[0]}; got: about {names[1]}")


def expect_put_back(exercise, *steps):
    with tidied_up() as before, suppress(SystemExit):
        try:
            exercise.run_steps(list(steps), lambda name, text: None)
        finally:
            after = state()
    changed = [what for what, value in before.items() if after[what] != value]
    if changed:
        raise AssertionError(f"expected: all is as it was; got: changed: {changed[0]}")


def test_steps_that_lose_nothing_are_not_blamed(exercise, services):
    steps = ("save", save_a_user_twice(Engine, services)), ("look", look(services))
    expect_blamed(told_by(exercise, *steps))


def test_the_error_of_a_step_is_told(exercise, services):
    steps = ("save", save_a_user_twice_and_fail(Engine, services)), ("look", look(services))
    told = told_by(exercise, *steps)
    expect_blamed(told, "save")
    if not any("IntegrityError" in text and "Duplicate" in text for name, text in told):
        raise AssertionError(f"expected: the step's IntegrityError, with its words; got: {told[0][1]}")


def test_the_last_step_is_blamed_for_what_it_lost(exercise, services):
    steps = ("look", look(services)), ("save", save_a_user_twice(RegistryRebuilt, services))
    expect_blamed(told_by(exercise, *steps), "save")


def test_the_next_step_is_not_blamed_for_what_comes_out_in_it(exercise, services):
    steps = ("save", save_a_user_twice(RegistryRebuilt, services)), ("look", look(services))
    expect_blamed(told_by(exercise, *steps), "save")


def test_each_of_two_steps_is_blamed_for_its_own(exercise, services):
    steps = (
        ("first save", save_a_user_twice(NeverClosed, services)),
        ("look", look(services)),
        ("second save", save_a_user_twice(RegistryRebuilt, services)),
    )
    expect_blamed(told_by(exercise, *steps), "first save", "second save")


def test_a_step_that_fails_is_blamed_for_what_it_lost(exercise, services):
    steps = ("save", save_a_user_twice_and_fail(RegistryRebuilt, services)), ("look", look(services))
    told = told_by(exercise, *steps)
    expect_blamed(told, "save")
    if len(told) < 2:
        raise AssertionError("expected: its error, and the lost connection; got: only its error")


def test_an_error_in_a_finaliser_is_told(exercise, services):
    told = told_by(exercise, ("mess", make_a_mess), ("look", look(services)))
    expect_blamed(told, "mess")
    if not any("nobody can catch this" in text for name, text in told):
        raise AssertionError(f"expected: the words of the error; got: {told[0][1]}")


def test_everything_is_left_as_it_was_found(exercise, services):
    expect_put_back(exercise, ("save", save_a_user_twice(RegistryRebuilt, services)), ("mess", make_a_mess))


def test_everything_is_left_as_it_was_found_when_a_step_ends_the_program(exercise):
    expect_put_back(exercise, ("mess", make_a_mess), ("leave", leave))
