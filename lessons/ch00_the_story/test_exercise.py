"""What the fixed count must say of programs that lose connections, and of programs that lose none."""

import asyncio
from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from labkit import Engine, User
from labkit.bugs.never_closed import NeverClosed
from labkit.bugs.registry_rebuilt import RegistryRebuilt
from labkit.course.promises import TimedOut
from labkit.course.story import fresh, lose_a_write, save_once, save_twice
from labkit.scene import Kind, private_loop


async def save_twice_in_each_task(engine_class, services, duplicates):
    """Save a user once for each name; those of `duplicates` are saved once more, all at the same time."""
    async with fresh(engine_class, services) as engine:
        for name in ("ada", "bob", "cy"):
            await engine.save(User(email=f"{name}@example.org", name=name))
        async with asyncio.TaskGroup() as tasks:
            for name in duplicates:
                tasks.create_task(save_again(engine, name))


async def save_again(engine, name):
    with suppress(IntegrityError):
        await engine.save(User(email=f"{name}@example.org", name=name))


async def nothing():
    """Use no engine at all."""


def lines_of(happenings):
    """Return what `watch_pool.py` would have printed: the log, the end of the loop in it, and then the warnings."""
    logged = [each for each in happenings if each.kind is Kind.LOG]
    in_time, late = ([each.text for each in logged if each.loop_closed is closed] for closed in (False, True))
    warnings = [f"weakref.py:1: {each.source}: {each.text}" for each in happenings if each.kind is Kind.WARNING]
    return "\n".join([*in_time, "the loop has closed", *late, *warnings]).splitlines()


def expect_lost(exercise, wanted, scene, *arguments):
    # What a broken engine leaves behind is what this exercise is about: nobody complains of it here.
    outcome = private_loop(scene, *arguments, pool_log=True, timeout=10)
    if outcome.timed_out:
        raise TimedOut(f"no end within 10 s; {'; '.join(outcome.waiting)}")
    found = exercise.connections_lost(lines_of(outcome.happenings))
    if found != wanted:
        raise AssertionError(f"expected: {wanted} lost; got: {found!r}")


def test_a_correct_engine_has_lost_none(exercise, services):
    expect_lost(exercise, 0, save_twice, Engine, services)


def test_the_first_engine_has_lost_one(exercise, services):
    expect_lost(exercise, 1, save_twice, RegistryRebuilt, services)


def test_the_first_engine_has_lost_none_when_all_goes_well(exercise, services):
    expect_lost(exercise, 0, save_once, RegistryRebuilt, services)


def test_the_first_engine_has_lost_one_with_the_write(exercise, services):
    expect_lost(exercise, 1, lose_a_write, RegistryRebuilt, services)


def test_another_engine_has_lost_one(exercise, services):
    expect_lost(exercise, 1, save_twice, NeverClosed, services)


def test_three_tasks_at_once_have_lost_three(exercise, services):
    expect_lost(exercise, 3, save_twice_in_each_task, NeverClosed, services, ("ada", "bob", "cy"))


def test_three_tasks_at_once_on_a_correct_engine_have_lost_none(exercise, services):
    expect_lost(exercise, 0, save_twice_in_each_task, Engine, services, ("ada", "bob", "cy"))


def test_two_tasks_on_the_first_engine_have_lost_two(exercise, services):
    expect_lost(exercise, 2, save_twice_in_each_task, RegistryRebuilt, services, ("ada", "cy"))


def test_a_scene_without_connections_has_lost_none(exercise):
    expect_lost(exercise, 0, nothing)
