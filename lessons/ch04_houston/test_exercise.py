"""What the mended test must do: pass for every correct engine, and for no engine that is broken."""

from contextlib import suppress

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_scoped_session

from labkit import Engine, Message, Room, User
from labkit.bugs.never_closed import NeverClosed
from labkit.bugs.registry_rebuilt import RegistryRebuilt
from labkit.course.promises import play
from labkit.scene import private_loop


class Silent(Engine):
    """An engine that keeps the integrity error to itself."""

    async def save(self, *objects):
        with suppress(IntegrityError):
            await super().save(*objects)


class Confused(Engine):
    """An engine that raises another error in place of the integrity error."""

    async def save(self, *objects):
        try:
            await super().save(*objects)
        except IntegrityError:
            raise LookupError("saved already") from None


class KeepsOne(Engine):
    """An engine that borrows a connection after an error, to look what is there, and keeps it."""

    async def save(self, *objects):
        try:
            await super().save(*objects)
        except IntegrityError:
            self.kept = self.factory()
            await self.kept.connection()
            raise


class ChatEngine(Engine):
    """A correct engine that has its own registry."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.own_registry = async_scoped_session(self.factory, scopefunc=self.current_scope)

    def sessions(self):
        return self.own_registry


class Counting(Engine):
    """A correct engine that counts what it saves."""

    saved = 0

    async def save(self, *objects):
        await super().save(*objects)
        self.saved += len(objects)


async def empty_tables(services):
    async with Engine(database_url=services.database_url, redis_url=services.redis_url) as engine:
        await engine.create_tables()
        async with engine.session() as session:
            for model in (Message, Room, User):
                await session.execute(delete(model))


def judged(exercise, engine_class, services):
    """Return what the learner's test says of an engine: nothing, or the error that it raises."""
    play(empty_tables, services).get()
    # What a broken engine leaves behind is no fault of the test's: it is not listened to here.
    return private_loop(exercise.a_duplicate_is_refused, engine_class, services).exception


def told(error):
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def expect_caught(error, what):
    if not isinstance(error, AssertionError):
        found = told(error) if error else "it passes"
        raise AssertionError(f"expected: AssertionError for {what}; got: {found}")


def test_the_correct_engine_passes(exercise, services):
    error = judged(exercise, Engine, services)
    if error is not None:
        raise AssertionError(f"expected: the correct engine passes; got: {told(error)}")


def test_an_engine_that_refuses_nothing_is_caught(exercise, services):
    expect_caught(judged(exercise, Silent, services), "an engine that raises no IntegrityError")


def test_the_engine_of_the_story_is_caught(exercise, services):
    expect_caught(
        judged(exercise, RegistryRebuilt, services), "the engine of the story, which has lost a connection"
    )


def test_another_engine_that_loses_connections_is_caught(exercise, services):
    expect_caught(judged(exercise, NeverClosed, services), "another engine that has lost a connection")


def test_an_engine_that_keeps_a_connection_after_an_error_is_caught(exercise, services):
    expect_caught(judged(exercise, KeepsOne, services), "an engine that keeps a connection after an error")


def test_a_broken_engine_is_caught_whatever_its_name(exercise, services):
    called_engine = type("Engine", (RegistryRebuilt,), {"__module__": Engine.__module__})
    expect_caught(judged(exercise, called_engine, services), "the engine of the story under the name Engine")


def test_other_correct_engines_pass(exercise, services):
    for each in ChatEngine, Counting:
        error = judged(exercise, each, services)
        if error is not None:
            raise AssertionError(f"expected: {each.__doc__[:-1].lower()} passes; got: {told(error)}")


def test_an_engine_that_raises_another_error_is_caught(exercise, services):
    if judged(exercise, Confused, services) is None:
        raise AssertionError("expected: an error for an engine that raises LookupError; got: it passes")
