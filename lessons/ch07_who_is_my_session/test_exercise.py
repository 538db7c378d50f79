"""What the mended repository must do, whatever it is made of."""

import asyncio
from contextlib import asynccontextmanager

from sqlalchemy import delete, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from labkit import Engine, Message, Room, User
from labkit.course.promises import TimedOut, expect, play
from labkit.scene import private_loop
from labkit.services.evidence import count_rows

EARLIER, LATER = 5, 20  # tasks
REPOSITORIES = 50
TOO_LONG = "x" * 5_000  # characters: the server has room for fewer
LIMIT = 10.0  # seconds


class ChangedHerMind(Exception):
    """What ends a unit of work in the middle."""


async def empty_tables(services):
    async with Engine(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.create_tables()
        async with engine.session() as session:
            for model in (Message, Room, User):
                await session.execute(delete(model))


@asynccontextmanager
async def opened(exercise, services):
    pool = create_async_engine(services.database_url)
    try:
        yield exercise.Repository(pool), pool.pool
    finally:
        await pool.dispose()


def played(scene, exercise, services):
    play(empty_tables, services).get()
    outcome = private_loop(scene, exercise, services, timeout=LIMIT)
    if outcome.timed_out:
        raise TimedOut(f"no end within {LIMIT:g} s; {'; '.join(outcome.waiting)}")
    # What the scene wants says more than the noise that follows, so it is heard first.
    outcome.get()
    if outcome.silent_failures:
        raise AssertionError(f"expected: nothing fails in silence; got: {outcome.silent_failures[0].headline}")


async def add(repository, email):
    async with repository.unit_of_work() as unit:
        await unit.add(User(email=email, name="Ada"))


async def add_and_fail(repository, email):
    await error_of(repository, email, fail)


async def error_of(repository, email, go_wrong):
    """Add a user in a unit of work and let it go wrong; return the name of the error that comes out."""
    try:
        async with repository.unit_of_work() as unit:
            await unit.add(User(email=email, name="Ada"))
            await go_wrong(unit)
    except Exception as error:
        return type(error).__name__
    return "no error"


async def fail(unit):
    raise ChangedHerMind


async def add_a_duplicate(unit):
    await unit.add(User(email="ada@example.org", name="Ada"))


async def commit_a_duplicate(unit):
    unit.session().add(User(email="ada@example.org", name="Ada"))  # it is sent by the commit


async def add_too_much(unit):
    await unit.add(User(email="eve@example.org", name=TOO_LONG))


async def ask_nonsense(unit):
    await unit.session().execute(text("SELECT nothing FROM nowhere"))


GONE_WRONG = {
    fail: ChangedHerMind.__name__,
    add_a_duplicate: IntegrityError.__name__,
    commit_a_duplicate: IntegrityError.__name__,
    add_too_much: DataError.__name__,
    ask_nonsense: "ProgrammingError",
}


async def add_and_be_cancelled(repository, email):
    added = asyncio.Event()

    async def add_and_wait():
        async with repository.unit_of_work() as unit:
            await unit.add(User(email=email, name="Ada"))
            await unit.session().execute(text("SELECT 1"))  # it has borrowed a connection, however `add` works
            added.set()
            await asyncio.Event().wait()  # nobody ever sets it

    task = asyncio.create_task(add_and_wait())
    task.add_done_callback(lambda ended: added.set())
    await added.wait()
    task.cancel()
    [end] = await asyncio.gather(task, return_exceptions=True)
    expect("a unit of work that was cancelled to end as that", found=type(end).__name__, to_be="CancelledError")


async def session_of_a_unit(repository):
    async with repository.unit_of_work() as unit:
        return unit.session()


def test_the_write_is_on_the_server_after_the_unit_of_work(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, _):
            await add(repository, "ada@example.org")
            rows = await count_rows(services, "users", email="ada@example.org")
            expect("one row on the server, after the unit of work", found=rows, to_be=1)

    played(scene, exercise, services)


def test_nothing_is_left_out_of_the_pool(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, pool):
            await add(repository, "ada@example.org")
            expect("no connection out after a unit of work", found=pool.checkedout(), to_be=0)
            await add_and_fail(repository, "eva@example.org")
            expect("no connection out after a unit of work that failed", found=pool.checkedout(), to_be=0)

    played(scene, exercise, services)


def test_a_unit_of_work_that_fails_leaves_nothing(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, _):
            await add_and_fail(repository, "ada@example.org")
            rows = await count_rows(services, "users", email="ada@example.org")
            expect("no row of a unit of work that failed", found=rows, to_be=0)

    played(scene, exercise, services)


def test_a_unit_of_work_that_is_cancelled_leaves_nothing(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, pool):
            await add_and_be_cancelled(repository, "ada@example.org")
            expect("no connection out after a unit of work that was cancelled", found=pool.checkedout(), to_be=0)
            rows = await count_rows(services, "users", email="ada@example.org")
            expect("no row of a unit of work that was cancelled", found=rows, to_be=0)

    played(scene, exercise, services)


def test_inside_one_unit_of_work_it_is_always_the_same_session(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, _), repository.unit_of_work() as unit:
            first, second = unit.session(), unit.session()
            expect("the same session at the second access", found=first is second, to_be=True)

    played(scene, exercise, services)


def test_two_tasks_at_once_have_two_sessions(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, _), repository.unit_of_work() as unit:
            # The other task begins inside this unit of work, and ends before it does.
            other = await asyncio.create_task(session_of_a_unit(repository))
            expect("a session of its own in the other task", found=other is unit.session(), to_be=False)

    played(scene, exercise, services)


def test_a_later_task_gets_a_new_session(exercise, services):
    async def sessions(repository, tasks):
        # They exist all at once, so that they take the places in memory that earlier ones had.
        started = [asyncio.create_task(session_of_a_unit(repository)) for _ in range(tasks)]
        return [await task for task in started]

    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, _):
            found = await sessions(repository, EARLIER) + await sessions(repository, LATER)
            expect("a session for each task", found=len({id(each) for each in found}), to_be=EARLIER + LATER)

    played(scene, exercise, services)


def test_the_next_unit_of_work_gets_a_new_session(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, _):
            first, second = await session_of_a_unit(repository), await session_of_a_unit(repository)
            expect("a new session in the next unit of work", found=first is second, to_be=False)

    played(scene, exercise, services)


def test_every_error_comes_out_and_leaves_nothing(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, pool):
            await add(repository, "ada@example.org")
            # Otherwise it may hold locks, for which the next ones would wait.
            rows = await count_rows(services, "users", email="ada@example.org")
            expect("one row on the server, and no connection out", found=(rows, pool.checkedout()), to_be=(1, 0))
            for go_wrong, error in GONE_WRONG.items():
                what = go_wrong.__name__.replace("_", " ")
                found = await error_of(repository, "bob@example.org", go_wrong)
                expect(f"the error of a unit of work ({what})", found=found, to_be=error)
                expect(f"no connection out ({what})", found=pool.checkedout(), to_be=0)
                rows = await count_rows(services, "users", email="bob@example.org")
                expect(f"no row of a unit of work that failed ({what})", found=rows, to_be=0)
            await add(repository, "bob@example.org")
            rows = await count_rows(services, "users", email="bob@example.org")
            expect("one row of the unit of work that follows", found=rows, to_be=1)

    played(scene, exercise, services)


def test_two_tasks_of_one_name_have_two_sessions(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as (repository, _):
            asyncio.current_task().set_name("worker")
            async with repository.unit_of_work() as unit:
                own = unit.session()
                other = await asyncio.create_task(session_of_a_unit(repository), name="worker")
                expect("a session of its own in a task of the same name", found=other is own, to_be=False)

    played(scene, exercise, services)


def test_each_repository_uses_its_own_pool(exercise, services):
    async def scene(exercise, services):
        for number in range(1, REPOSITORIES + 1):  # one after the other: a later one takes an earlier one's place
            pool = create_async_engine(services.database_url)
            session = await session_of_a_unit(exercise.Repository(pool))
            own = session.get_bind() is pool.sync_engine
            expect(f"a session on its own pool in repository {number}", found=own, to_be=True)

    played(scene, exercise, services)
