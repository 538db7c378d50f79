"""What the mended `ask_all` must do: so many at once and no more, in order, and leave nothing behind."""

import asyncio
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from labkit.course.promises import play
from labkit.services import Capability
from labkit.services.evidence import connections

SIZE = 4  # connections of the pool: one more than are ever wanted at once
PATIENCE = 2.0  # seconds for what takes some hundredths
A_WHILE = 0.3  # seconds in which somebody may come in who should not


class Room:
    """Where questions are asked: it counts who is inside, and how many connections are out meanwhile."""

    def __init__(self, engine):
        self.engine = engine
        self.inside = self.most_inside = self.most_out = self.begun = 0
        self.changed = asyncio.Event()

    @asynccontextmanager
    async def entered(self):
        self.inside += 1
        self.begun += 1
        self.most_inside = max(self.most_inside, self.inside)
        self._tell()
        try:
            yield
        finally:
            self.inside -= 1
            self._tell()

    def _tell(self):
        self.most_out = max(self.most_out, self.engine.pool.checkedout())
        self.changed.set()

    async def until(self, holds):
        """Wait until something holds of this room."""
        while not holds(self):
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def open_engine(services):
    """Open an engine whose pool has all its connections already; at the end stop whatever is still running."""
    engine = create_async_engine(services.database_url, pool_size=SIZE, max_overflow=0, pool_timeout=0.5)
    opened = [await engine.connect() for _ in range(SIZE)]
    for connection in opened:
        await connection.close()
    try:
        yield engine
    finally:
        if left := others():  # who is in the middle of a query is not cut off there: that would be heard, too
            await asyncio.wait(left, timeout=A_WHILE)
        for task in others():
            task.cancel()
        await asyncio.gather(*others(), return_exceptions=True)
        await engine.dispose()


def others():
    return asyncio.all_tasks() - {asyncio.current_task()}


async def answer(connection, number):
    return await connection.scalar(text(f"SELECT {number}"))


async def ask(exercise, engine, questions, at_once, patience=PATIENCE):
    """Ask, and wait for the end of it only so long."""
    try:
        async with asyncio.timeout(patience) as limit:
            return await exercise.ask_all(engine, questions, at_once)
    except TimeoutError:
        if limit.expired():
            raise AssertionError(f"expected: an end of `ask_all`; got: none within {patience:g} s") from None
        raise


def plain(number):
    async def question(connection):
        return await answer(connection, number)

    return question


async def is_asked_here(exercise, services):
    """Say whether one question, for which nobody has to wait, is asked on the loop of its caller."""
    async with open_engine(services) as engine:
        here, loops = asyncio.get_running_loop(), []

        async def question(connection):
            loops.append(asyncio.get_running_loop())
            return await answer(connection, 1)

        with suppress(Exception):
            await ask(exercise, engine, [question], 2)
        return all(loop is here for loop in loops)


async def ask_plainly(exercise, services, count):
    async with open_engine(services) as engine:
        return await ask(exercise, engine, [plain(number) for number in range(count)], 2)


def expect_plain_answers(exercise, services, count, where=""):
    """Expect every answer, once, in whatever order: the order is another test's."""
    outcome, wanted = play(ask_plainly, exercise, services, count), list(range(count))
    answers = outcome.result
    if outcome.exception is not None or not isinstance(answers, list) or sorted(answers, key=repr) != wanted:
        found = told(outcome.exception) if outcome.exception is not None else repr(answers)
        raise AssertionError(f"expected: {wanted}{where}; got: {found}")


def told(error):
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    words = str(error).partition("\n")[0]
    return (
        words.rpartition("found: ")[2] if isinstance(error, AssertionError) else f"{type(error).__name__}: {words}"
    )


async def crowd(exercise, services, at_once):
    """Ask one more than the pool has connections; each stays for a while, or until there is one too many."""
    async with open_engine(services) as engine:
        room = Room(engine)

        async def question(connection):
            async with room.entered():
                with suppress(TimeoutError):
                    async with asyncio.timeout(A_WHILE):
                        await room.until(lambda room: room.most_inside > at_once)
                return await answer(connection, 1)

        error = None
        try:
            await ask(exercise, engine, [question] * (SIZE + 1), at_once, 2 * PATIENCE)
        except Exception as raised:
            error = raised
        most = max(room.most_inside, room.most_out)
        if error is not None and most <= at_once:
            raise error
        return most


async def all_places(exercise, services, at_once):
    """
    Let nobody leave before `at_once` are inside.

    Return how many were: as they have counted themselves, and the pool, and the server.
    """
    async with open_engine(services) as engine:
        room, numbers = Room(engine), set()

        async def question(connection):
            number = await connection.scalar(text("SELECT CONNECTION_ID()"))
            async with room.entered():
                if room.begun <= at_once:
                    numbers.add(number)
                await room.until(lambda room: room.most_inside >= at_once)

        with suppress(AssertionError):
            await ask(exercise, engine, [question] * (2 * at_once), at_once)
        on_server = numbers & {each.id for each in await connections(services)}
        return min(room.most_inside, room.most_out, len(on_server))


async def slow_first(exercise, services):
    """Ask five, two at once: the first stays until the last has come."""
    async with open_engine(services) as engine:
        room = Room(engine)

        def numbered(number):
            async def question(connection):
                async with room.entered():
                    if number == 0:
                        await room.until(lambda room: room.begun == 5)
                    return await answer(connection, number)

            return question

        try:
            return room, await ask(exercise, engine, [numbered(number) for number in range(5)], 2)
        except AssertionError:
            return room, None


async def fail(exercise, services):
    """Ask four, of which the second fails; return the error, or the answers."""
    async with open_engine(services) as engine:

        async def wrong(connection):
            await answer(connection, 1)
            raise LookupError("no such guest")

        try:
            return await ask(exercise, engine, [plain(0), wrong, plain(2), plain(3)], 2)
        except (Exception, asyncio.CancelledError) as error:
            return error


async def fail_beside_a_slow_one(exercise, services):
    """
    Ask four, two at once: the first never ends, and the second fails once the first is inside.

    Return the error, how many tasks run on, and how many connections are out.
    """
    async with open_engine(services) as engine:
        room = Room(engine)

        async def never(connection):
            await answer(connection, 0)
            async with room.entered():
                await asyncio.Event().wait()

        async def wrong(connection):
            async with room.entered():
                await room.until(lambda room: room.begun >= 2)
                raise LookupError("no such guest")

        error = None
        try:
            await ask(exercise, engine, [never, wrong, never, never], 2)
        except Exception as raised:
            error = raised
        return error, len(others()), engine.pool.checkedout()


async def two_fail(exercise, services):
    """Ask two, at once, that both fail when both are inside."""
    async with open_engine(services) as engine:
        room = Room(engine)

        async def wrong(connection):
            async with room.entered():
                await room.until(lambda room: room.begun >= 2)
                raise LookupError("no such guest")

        with suppress(Exception):
            await ask(exercise, engine, [wrong, wrong], 2)


async def cancel(exercise, services):
    """Cancel the caller while two questions are inside; return tasks and connections that are left."""
    async with open_engine(services) as engine:
        room = Room(engine)

        async def never(connection):
            await answer(connection, 0)
            async with room.entered():
                await asyncio.Event().wait()

        caller = asyncio.create_task(exercise.ask_all(engine, [never] * 4, 2))
        with suppress(TimeoutError):  # where they don't come in, another test says so
            async with asyncio.timeout(PATIENCE):
                await room.until(lambda room: room.inside >= 2)
        caller.cancel()
        await asyncio.wait([caller], timeout=PATIENCE)
        return caller.cancelled(), len(others()), engine.pool.checkedout()


async def count_left(exercise, services):
    async with open_engine(services) as engine:
        await ask(exercise, engine, [plain(number) for number in range(5)], 2)
        return len(others()), engine.pool.checkedout()


def has(error, kind):
    """Say whether an error is of a kind, or a group that holds one."""
    if isinstance(error, BaseExceptionGroup):
        return any(has(each, kind) for each in error.exceptions)
    return isinstance(error, kind)


def expect_nothing_left(after, left, out):
    if left or out:
        raise AssertionError(
            f"expected: no task and no connection left {after}; got: {left} tasks, {out} connections"
        )


def test_a_question_is_asked_on_the_loop_of_its_caller(exercise, services):
    if not play(is_asked_here, exercise, services).get():
        raise AssertionError("expected: a question is asked on the loop of its caller; got: on another one")


def test_a_few_questions_are_answered(exercise, services):
    expect_plain_answers(exercise, services, 6)


def test_it_works_on_the_next_loop_too(exercise, services):
    # One after the other on two loops, and on each somebody has to wait for a place.
    expect_plain_answers(exercise, services, 6, " on this loop")
    expect_plain_answers(exercise, services, 6, " on the next one")


def test_no_more_are_asked_at_once_than_wanted(exercise, services):
    for at_once in (2, 3):
        most = play(crowd, exercise, services, at_once).get()
        if most > at_once:
            raise AssertionError(f"expected: at most {at_once} connections out at once; got: {most}")


def test_no_fewer_are_asked_at_once_than_wanted(exercise, services):
    services.require(Capability.PROCESSLIST)
    for at_once in (2, 3):
        most = play(all_places, exercise, services, at_once).get()
        if most < at_once:
            raise AssertionError(f"expected: {at_once} questions at once, on the engine's connections; got: {most}")


def test_a_slow_question_holds_up_nobody_else(exercise, services):
    room, _ = play(slow_first, exercise, services).get()
    if room.begun != 5:
        raise AssertionError(f"expected: all 5 questions begun while the first waits; got: {room.begun}")


def test_the_answers_come_in_the_order_of_the_questions(exercise, services):
    _, found = play(slow_first, exercise, services).get()
    if found != [0, 1, 2, 3, 4]:
        raise AssertionError(f"expected: [0, 1, 2, 3, 4]; got: {found!r}")


def test_an_error_goes_to_the_caller(exercise, services):
    found = play(fail, exercise, services).get()
    if not has(found, LookupError):
        raise AssertionError(f"expected: the LookupError of a question; got: {found!r}")


def test_an_error_waits_for_nobody(exercise, services):
    error, _, _ = play(fail_beside_a_slow_one, exercise, services).get()
    if not has(error, LookupError):
        found = told(error) if error else "no error"
        raise AssertionError(f"expected: the LookupError, while another question still waits; got: {found}")


def test_when_the_error_arrives_nothing_is_running(exercise, services):
    _, left, out = play(fail_beside_a_slow_one, exercise, services).get()
    expect_nothing_left("when the error arrives", left, out)


def test_two_errors_at_once_leave_nothing_unheard(exercise, services):
    play(two_fail, exercise, services).get()


def test_a_cancelled_caller_leaves_nothing(exercise, services):
    cancelled, left, out = play(cancel, exercise, services).get()
    if not cancelled:
        raise AssertionError("expected: the caller is cancelled; got: it is not")
    expect_nothing_left("after a cancellation", left, out)


def test_answers_leave_nothing(exercise, services):
    left, out = play(count_left, exercise, services).get()
    expect_nothing_left("when the answers have come", left, out)


def test_no_questions_have_no_answers(exercise, services):
    expect_plain_answers(exercise, services, 0)
