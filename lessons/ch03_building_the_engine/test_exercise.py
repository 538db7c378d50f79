"""What the mended engine must do, asked of the server on another connection, of the recorder and of the log."""

import asyncio
from contextlib import asynccontextmanager, suppress

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from labkit import Engine, Message, Room, User
from labkit.course.promises import NotHere, TimedOut, expect, play
from labkit.recorder import FlightRecorder
from labkit.scene import private_loop
from labkit.services import Capability, isolated_services
from labkit.services.evidence import connections, count_rows

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
UNSENDABLE = "\ud800"  # half a character: the driver can't encode it
CROWD = 10
PATIENCE = 4.0  # seconds for what takes some hundredths
LIMIT = 10.0


class Elsewhere(DeclarativeBase):
    """Models of another program."""


class Ticket(Elsewhere):
    """A model that has no table here: the server refuses every statement about it."""

    __tablename__ = "tickets"
    id: Mapped[int] = mapped_column(primary_key=True)


def person(email, name="Ada"):
    return User(email=email, name=name)


async def empty_tables(services):
    async with Engine(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.create_tables()
        async with engine.session() as session:
            for model in (Message, Room, User):
                await session.execute(delete(model))


@asynccontextmanager
async def opened(exercise, services):
    engine = exercise.SmallEngine(services.database_url)
    try:
        yield engine
    finally:
        await engine.close()


def played(scene, exercise, services):
    play(empty_tables, services).get()
    outcome = private_loop(scene, exercise, services, timeout=LIMIT)
    if outcome.timed_out:
        raise TimedOut(f"no end within {LIMIT:g} s; {'; '.join(outcome.waiting)}")
    # What the scene wants says more than the noise that follows, so it is heard first.
    outcome.get()
    return outcome


def name_of(user, when):
    """Return the name of a user whose attributes can be read."""
    try:
        expect("the id of a user, which the server has chosen", found=type(user.id).__name__, to_be="int")
        return user.name
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"expected: a user that can be read {when}; got: {type(error).__name__}") from error


async def expect_refused(engine, *objects):
    try:
        await engine.save(*objects)
    except IntegrityError:
        return
    except Exception as error:
        raise AssertionError(f"expected: an IntegrityError for a duplicate; got: {type(error).__name__}") from error
    raise AssertionError("expected: an IntegrityError for a duplicate; got: no error")


async def rename(services, email, name):
    """Give somebody another name, as another program would."""
    # Whoever wants to change a row that is not committed waits for its lock.
    rows = await count_rows(services, "users", email=email)
    expect("one row that somebody else can change", found=rows, to_be=1)
    other = create_async_engine(services.database_url)
    try:
        async with other.begin() as connection:
            await connection.execute(update(User).where(User.email == email).values(name=name))
    finally:
        await other.dispose()


async def calls(engine):
    """Make one call of each kind; give its name after it. What comes of it, others ask."""
    yield await after("a save", engine.save(person(ADA)))
    yield await after("a get", engine.get(User, email=ADA))
    yield await after("a get that found nobody", engine.get(User, email=BOB))
    for name, call in failing(engine).items():
        yield await after(name, call())
    yield await after("another save", engine.save(person(EVE)))


def failing(engine):
    """Return calls that fail: by the server, for two reasons, and already in the driver."""
    return {
        "a save that failed": lambda: engine.save(person(ADA)),
        "a save that the server refused": lambda: engine.save(Ticket(id=1)),
        "a save that could not be sent": lambda: engine.save(person(UNSENDABLE)),
        "a get that the server refused": lambda: engine.get(Ticket, id=1),
        "a get that could not be sent": lambda: engine.get(User, email=UNSENDABLE),
    }


async def after(name, call):
    with suppress(Exception):
        await call
    return name


def test_what_is_saved_is_on_the_server(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            rows = await count_rows(services, "users", email=ADA)
            expect("one row, as somebody else sees it", found=rows, to_be=1)

    played(scene, exercise, services)


def test_what_was_saved_can_be_read(exercise, services):
    async def scene(exercise, services):
        ada = person(ADA)
        async with opened(exercise, services) as engine:
            await engine.save(ada)
            expect("the name of a saved user", found=name_of(ada, "after the save"), to_be="Ada")
        expect("the name of a saved user", found=name_of(ada, "after the close"), to_be="Ada")

    played(scene, exercise, services)


def test_what_was_got_can_be_read(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            found = await engine.get(User, email=ADA)
            expect("the user, and not nobody", found=type(found).__name__, to_be="User")
            expect("the name of a user", found=name_of(found, "after the get"), to_be="Ada")
            expect("nobody of another email", found=await engine.get(User, email=BOB), to_be=None)
        expect("the name of a user", found=name_of(found, "after the close"), to_be="Ada")

    played(scene, exercise, services)


def test_a_duplicate_is_an_integrity_error(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            await expect_refused(engine, person(ADA))

    played(scene, exercise, services)


def test_a_save_that_fails_leaves_nothing(exercise, services):
    # Two kinds of objects, so that each is an INSERT of its own; and both orders, for nobody knows which is first.
    async def room_is_new(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            await expect_refused(engine, Room(name="garden"), person(ADA))
        rows = await count_rows(services, "rooms", name="garden")
        expect("no room of a save that failed", found=rows, to_be=0)

    async def user_is_new(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(Room(name="hall"))
            await expect_refused(engine, person(BOB), Room(name="hall"))
        rows = await count_rows(services, "users", email=BOB)
        expect("no user of a save that failed", found=rows, to_be=0)

    played(room_is_new, exercise, services)
    played(user_is_new, exercise, services)


def test_after_a_save_that_failed_the_engine_goes_on(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            await expect_refused(engine, person(ADA))
            try:
                await engine.save(person(EVE))
            except Exception as error:
                found = type(error).__name__
                raise AssertionError(f"expected: a save after one that failed; got: {found}") from error
            rows = await count_rows(services, "users", email=EVE)
            expect("one row of the save after one that failed", found=rows, to_be=1)

    played(scene, exercise, services)


def test_get_gives_what_is_on_the_server_now(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            await engine.get(User, email=ADA)
            await rename(services, ADA, "Grace")
            found = await engine.get(User, email=ADA)
            expect("the name that somebody else has given her", found=found.name, to_be="Grace")

    played(scene, exercise, services)


def test_many_can_save_at_once(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            emails = [ADA, *(f"guest-{number}@example.org" for number in range(CROWD))]
            tasks = [asyncio.create_task(engine.save(person(email))) for email in emails]
            late = (await asyncio.wait(tasks, timeout=PATIENCE))[1]
            for task in late:
                task.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            expect(f"nobody who still waits after {PATIENCE:g} s", found=len(late), to_be=0)
            errors = [type(error).__name__ for error in found if error is not None]
            expect("one error, for the one duplicate", found=errors, to_be=["IntegrityError"])
        rows = await count_rows(services, "users")
        expect("a row of each who saved at the same time, and Ada's", found=rows, to_be=CROWD + 1)

    played(scene, exercise, services)


def test_no_connection_is_out_after_a_call(exercise, services):
    async def scene(exercise, services):
        with FlightRecorder() as flight:
            async with opened(exercise, services) as engine:
                async for call in calls(engine):
                    expect(f"no connection out after {call}", found=len(flight.holders()), to_be=0)

    played(scene, exercise, services)


def test_one_connection_is_kept_for_the_next_call(exercise, services):
    async def scene(exercise, services):
        with FlightRecorder() as flight:
            async with opened(exercise, services) as engine:
                async for _ in calls(engine):
                    pass
                count = flight.statistics().opened
        expect("one connection opened for all calls, one after the other", found=count, to_be=1)

    played(scene, exercise, services)


def test_nothing_is_left_when_it_has_closed(exercise, services):
    if Capability.PROCESSLIST not in services.capabilities:
        raise NotHere("the server does not list its connections")

    async def scene(exercise, services):
        before = {each.id for each in await connections(services)}
        async with opened(exercise, services) as engine:
            async for _ in calls(engine):
                pass
        for _ in range(50):  # a server takes a moment to see that somebody has hung up
            left = {each.id for each in await connections(services)} - before
            if not left:
                break
            await asyncio.sleep(0.02)
        expect("no connection on the server after the close", found=len(left), to_be=0)

    failures = played(scene, exercise, services).silent_failures
    if failures:
        raise AssertionError(f"expected: nothing fails in silence; got: {failures[0].headline}")


def test_every_error_comes_out(exercise, services):
    async def scene(exercise, services):
        async with opened(exercise, services) as engine:
            await engine.save(person(ADA))
            for name, call in failing(engine).items():
                try:
                    found = await call()
                except Exception:
                    continue
                raise AssertionError(f"expected: {name} raises its error; got: {found!r}")

    played(scene, exercise, services)


def test_each_engine_has_its_own_database(exercise, services):
    async def scene(exercise, services, other):
        async with opened(exercise, services), opened(exercise, other) as engine:
            await engine.save(person(EVE))
        rows = [await count_rows(each, "users", email=EVE) for each in (services, other)]
        expect("rows in two databases, when the engine of the second has saved one", found=rows, to_be=[0, 1])

    with isolated_services(services) as other:
        if other.database_url == services.database_url:
            raise NotHere("there is no second database")
        for each in services, other:
            play(empty_tables, each).get()
        play(scene, exercise, services, other).get()
