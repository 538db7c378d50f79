"""
The corrected engine, without its cache: a facade over SQLAlchemy's async models, in one file.

SQLAlchemy recommends for new code to pass an `AsyncSession` on, and not to keep a registry ("Using asyncio scoped
session" in its manual): a registry is global state. This facade keeps one, because its callers find the session of
their task without being handed it, however deep they are; it is built once, and every block ends by emptying it.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncIterator, Coroutine, Hashable
from contextlib import asynccontextmanager, nullcontext
from typing import Any, ClassVar, Self, TypeVar, cast

from sqlalchemy import Executable, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import raiseload
from sqlalchemy.orm.interfaces import ORMOption

from labkit.engine.calls import Calls
from labkit.engine.checks import check_limit, check_objects, check_stored
from labkit.engine.completion import run_to_completion
from labkit.engine.connections import check_answer, check_database_url, new_engine, new_reader, ping
from labkit.engine.keys import Key, check_key
from labkit.engine.loops import PerLoop, not_open, wrong_loop, wrong_process
from labkit.engine.models import Base
from labkit.engine.paging import page
from labkit.engine.rows import Values, restore, select_by
from labkit.engine.statistics import EngineStatistics
from labkit.settings import Settings, read_settings

__all__ = ["CoreEngine", "Task"]

M = TypeVar("M", bound=Base)
Task = asyncio.Task[Any]
Loop = asyncio.AbstractEventLoop


class CoreEngine:
    """
    Save, get, find and delete objects: one pool, one session factory and one registry, each made once.

    Each promise is kept by one method, and so can be broken in one place. Those that may be overridden:
    `create_engine`, `create_reader`, `create_factory`, `check_connection`, `check_process`, `check_loop`,
    `opening`, `check_server`, `dispose`, `sessions`, `scope`, `step`, `commit`, `undo`, `release`, `look_up`,
    `read`, `fetch`, `loading`.
    """

    _current: ClassVar[PerLoop] = PerLoop()
    _loop: Loop | None = None
    _pid = 0
    _closed = False
    _closing: Task | None = None
    _meant: Task | None = None  # whose session `current_scope` means, if not that of the running task

    def __init__(self, settings: Settings | None = None, *, database_url: str | None = None) -> None:
        self.settings = settings or read_settings()
        self.url = check_database_url(database_url or self.settings.database_url)
        self.engine = self.create_engine()
        self.reader = self.create_reader()
        self.factory = self.create_factory()
        # Built once: which session belongs to which task is known to this one object and to no other.
        self.registry = async_scoped_session(self.factory, scopefunc=self.current_scope)
        self.blocks: set[Task] = set()  # the tasks that are in a block
        self._opening_lock = asyncio.Lock()
        self._calls = Calls(self.settings.statement_timeout)

    # What is made once.

    def create_engine(self) -> AsyncEngine:
        """Return the SQLAlchemy engine of the blocks; it opens nothing yet."""
        return new_engine(self.url, self.settings, self.check_connection)

    def create_reader(self) -> AsyncEngine:
        """Return the SQLAlchemy engine of the reads outside of every block: each is one round trip."""
        return new_reader(self.url, self.settings, self.check_connection)

    def create_factory(self) -> async_sessionmaker[AsyncSession]:
        """Return the factory of sessions, whose objects can be read after the commit without the database."""
        # An expired attribute would be loaded again at its next access, which can't be awaited.
        return async_sessionmaker(self.engine, expire_on_commit=False, **self.session_options())

    def session_options(self) -> dict[str, Any]:
        """Return the options of every session."""
        # A closed session that could be used again would take a connection, and nothing would give it back.
        return {"close_resets_only": False}

    @staticmethod
    def check_connection(connection: Any, idle: float, ping_after: float) -> None:
        """Test a connection that has been idle before it is given out; one that does not answer is replaced."""
        # The server ends what is idle for too long, without a message: only a ping finds out.
        if idle >= ping_after:
            ping(connection)

    # Who may use it, and from where.

    def check_process(self) -> None:
        """Refuse any process but the one that opened this engine."""
        # A forked child inherits the very sockets of its parent: what one sends, the other one's server answers.
        if os.getpid() != self._pid:
            raise wrong_process(self._pid)

    def check_loop(self) -> None:
        """Refuse any loop but the one that opened this engine."""
        # A connection's socket belongs to the loop that opened it: another loop would wait for ever, or fail later.
        if asyncio.get_running_loop() is not self._loop:
            raise wrong_loop(self._loop)

    def _check(self) -> None:
        if self._loop is None or self._closed:
            raise not_open(self)
        self.check_process()
        self.check_loop()

    # Opening and closing.

    @classmethod
    def current(cls) -> Self:
        """Return the engine of the running loop; the first time, build it from the environment, to be opened."""
        return CoreEngine._current.get(cls)

    async def open(self) -> Self:
        """
        Bind to the running loop and check that the database answers; opening it twice is harmless.

        Raises `Unreachable`, without the password, when it does not answer, and `NotOpen` after `close()`.
        """
        async with self.opening():
            if self._loop is None and not self._closed:
                self._loop, self._pid = asyncio.get_running_loop(), os.getpid()
                try:
                    with self._calls.enter(_running_task()):
                        await self.check_server()
                except BaseException:
                    await self.close()
                    raise
        self._check()
        return self

    def opening(self) -> asyncio.Lock:
        """Return the lock under which one task opens this engine while others wait."""
        # A lock is bound to the first loop in which a task waits for it: it must not outlive its engine.
        return self._opening_lock

    async def check_server(self) -> None:
        """Check that the database answers, and keep nothing open but the pool's own connection."""
        await check_answer(self.engine)

    async def close(self) -> None:
        """
        End every block and read with `NotOpen`, and close every connection: nothing is written afterwards.

        A commit that is under way gets a moment. Closing twice is harmless; a cancellation waits until all is done.
        """
        if self._closing is not None and not self._closing.done():
            await asyncio.wait([self._closing])
        if is_open := self._loop is not None and not self._closed:
            self._check()
        self._closed = True
        CoreEngine._current.forget(self)
        if is_open:
            self._closing = asyncio.ensure_future(self._close(_running_task()))
            await run_to_completion(self._closing)

    async def _close(self, closer: Task) -> None:
        try:
            await self._calls.end(closer)
        finally:
            await self.dispose()

    async def dispose(self) -> None:
        """Close every connection in the loop that opened it."""
        # When the loop has closed it is too late: no connection can be closed properly any more.
        try:
            await self.engine.dispose()
        finally:
            await self.reader.dispose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    # Blocks, and the session of each task.

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """
        Open a block, or join the one that this task is in; give the session of the task.

        Inside one task it is always the same session, however deep the call; another task gets its own, as those
        of `gather` do. The outermost block commits, or rolls back when an error or a cancellation leaves it, and
        ends the session. A cancellation that comes during the commit is raised after it.
        """
        self._check()
        task = _running_task()
        session = self.sessions()()
        if task in self.blocks:
            yield session
            return
        self.blocks.add(task)
        try:
            with self._calls.enter(task):
                try:
                    yield session
                    await session.flush()  # here, and not in the commit, which no cancellation stops
                    self._check()  # the block may have swallowed the cancellation that `close()` sent
                except BaseException as error:
                    try:
                        await self.undo(task, error)
                    except Exception as failed:  # what went wrong first comes out
                        error.add_note(f"The rollback failed, too: {failed!r}")
                    raise
                await self.finish(task, self.commit(task, session))
        finally:
            self.blocks.discard(task)

    def in_block(self) -> bool:
        """Return True if the running task is in a block."""
        return _running_task() in self.blocks

    def sessions(self) -> async_scoped_session[AsyncSession]:
        """Return the registry that knows which session belongs to which task."""
        # The same registry at every access: a session that another one made could never be found again.
        return self.registry

    def current_scope(self) -> Hashable:
        """Return the key of the session that is meant now: that of the running task, or of a task that it ends."""
        return self.scope(self._meant or _running_task())

    @staticmethod
    def scope(task: Task) -> Hashable:
        """Return the key under which the registry keeps the session of `task`."""
        # The task itself, and not the one that asks: the release runs in a helper task, for the same session.
        return task

    def session_of(self, task: Task, *, forget: bool = False) -> AsyncSession | None:
        """Return the session that the registry keeps for `task`, or None; take it out if `forget`."""
        self._meant = task  # a helper task asks for the session of another one
        try:
            registry = self.sessions().registry
            session = registry() if registry.has() else None
            if forget:
                registry.clear()
            return session
        finally:
            self._meant = None

    @asynccontextmanager
    async def step(self) -> AsyncIterator[AsyncSession]:
        """Give the session of this task for one step, which is undone by itself when it fails."""
        # Inside a block it is undone to its savepoint, on the connection that the block has already. What was
        # changed before the savepoint is flushed before it: if that fails, the block can only be rolled back.
        nested = self.in_block()
        async with self.session() as session, session.begin_nested() if nested else nullcontext():
            yield session

    async def commit(self, task: Task, session: AsyncSession) -> None:
        """Commit what a block has written; end its session, whatever comes of that."""
        try:
            await session.commit()
        finally:
            await self.release(task)

    async def undo(self, task: Task, error: BaseException) -> None:
        """End the session of a block that `error` has stopped, a cancellation too."""
        await self.finish(task, self.release(task))

    async def finish(self, task: Task, work: Coroutine[Any, Any, None]) -> None:
        """Run a commit or a rollback of `task` to its end, also when that is cancelled meanwhile."""
        await self._calls.finish(task, work)

    async def release(self, task: Task) -> None:
        """Forget the session of `task` and give its connection back; what was not committed is rolled back."""
        # The entry is taken out before any await: no caller can get the session once it closes.
        session = self.session_of(task, forget=True)
        if session is not None:
            await self._end(session)

    async def _end(self, session: AsyncSession) -> None:
        if self._closed:  # its server is not waited for any more
            await session.invalidate()
            return
        try:
            if session.in_transaction():
                await session.rollback()  # before it closes: new objects become new again
        finally:
            await session.close()

    # Objects.

    async def create_tables(self) -> None:
        """Create the tables of every model that has none yet."""
        self._check()
        with self._calls.enter(_running_task()):
            async with self.engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)

    async def save(self, *objects: Base) -> None:
        """
        Insert or update `objects` in one transaction: all of them, or none.

        Raises `IntegrityError` for a duplicate, which leaves nothing behind. A block can catch it and go on if
        the object was new; if it got and changed the object, it can only roll back. Raises `InvalidInput` before
        anything is sent.
        """
        check_objects(objects)
        async with self.step() as session:
            session.add_all(objects)  # sent at the end of the step

    async def get(self, model: type[M], **unique_key: Any) -> M | None:
        """
        Return the one object of `model` with this unique key, or None: `await engine.get(User, email=…)`.

        In a block it is read through its session. Raises `InvalidInput` for a key that is not unique.
        """
        key = check_key(model, unique_key)
        self._check()
        if self.in_block():
            statement = select(model).filter_by(**unique_key).options(self.loading())
            return (await self.sessions()().execute(statement)).scalar_one_or_none()
        with self._calls.enter(_running_task()):
            values = await self.look_up(key)
        return None if values is None else restore(model, values)

    async def look_up(self, key: Key) -> Values | None:
        """Read one row, outside of every block."""
        return await self.read(key)

    async def read(self, key: Key) -> Values | None:
        """Read one row from the database as it is now."""
        async with self.reader.connect() as connection:
            parameters = dict(zip(key.names, key.values, strict=True))
            row = (await connection.execute(select_by(key.model, key.names), parameters)).first()
        return None if row is None else tuple(row)

    async def find(
        self, model: type[M], *where: Any, order_by: Any = None, limit: int = 100, after: M | None = None
    ) -> list[M]:
        """
        Return a page of objects of `model` that meet every condition, never more than `limit`.

        `order_by` is a column or a list of them; the next page starts `after` the last object of this one. Raises
        `InvalidInput`, also for a limit over `Settings.find_limit`.
        """
        check_limit(limit, self.settings.find_limit)
        statement = page(model, where, order_by, limit, after).options(self.loading())
        self._check()
        if self.in_block():
            return list((await self.sessions()().execute(statement)).scalars())
        with self._calls.enter(_running_task()):
            return await self.fetch(statement)

    async def fetch(self, statement: Executable) -> list[Any]:
        """Return the objects that a statement selects, outside of every block; raise a cancellation on."""
        async with AsyncSession(self.reader) as session:  # for this one statement
            return list((await session.execute(statement)).scalars())

    def loading(self) -> ORMOption:
        """Return how relationships are loaded: never behind the caller's back."""
        # An attribute can't be awaited: what it needs must have been asked for, or the access says so at once.
        return raiseload("*")

    async def delete(self, instance: Base) -> None:
        """Delete the row of `instance`, if it is still there; raise `IntegrityError` when other rows need it."""
        check_stored(instance)
        async with self.step() as session:
            # Another task may have deleted it meanwhile: the lock says who was first.
            stored = await session.get(type(instance), inspect(instance).identity, with_for_update=True)
            if stored is not None:
                await session.delete(stored)

    # What it says of itself.

    def __del__(self) -> None:
        if self._loop is not None and not self._closed:
            warnings.warn(f"{self!r} was dropped open: use `async with`.", ResourceWarning, stacklevel=2)

    @property
    def state(self) -> str:
        """Return "not opened", "open" or "closed"."""
        return "closed" if self._closed else "open" if self._loop else "not opened"

    def statistics(self) -> EngineStatistics:
        """Count what is held at this moment, and by which tasks."""
        return EngineStatistics.of([self.engine, self.reader], self.blocks)

    def __repr__(self) -> str:
        now = self.statistics()
        held = f"{now.checked_out} connections out, {len(now.sessions)} sessions, {now.waiting} waiting"
        return f"<{type(self).__name__} {self.url!r} {self.state}, {held}>"


def _running_task() -> Task:
    return cast(Task, asyncio.current_task())
