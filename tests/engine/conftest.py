"""Engines on running services, and the means to look at them from outside."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest
from sqlalchemy import event

from labkit.engine import Engine
from labkit.services import Services
from labkit.settings import Settings

MakeEngine = Callable[..., Engine]


@pytest.fixture
async def make_engine(clean_services: Services) -> AsyncIterator[MakeEngine]:
    """Make an engine that nobody has opened; whoever opens it need not close it."""
    made: list[Engine] = []

    def make(kind: type[Engine] = Engine, *, driver: str = "", redis: bool = True, **chosen: Any) -> Engine:
        url = clean_services.database_url
        if driver:
            url = url.replace("asyncmy", driver)
        redis_url = clean_services.redis_url if redis else None
        # An embedded Redis shares this process with tests that keep it busy: only those of an outage hurry.
        chosen.setdefault("redis_timeout", 10.0)
        made.append(kind(Settings(database_url=url, redis_url=redis_url, **chosen)))
        return made[-1]

    yield make
    for engine in made:
        await engine.close()


@pytest.fixture
async def engine(make_engine: MakeEngine) -> AsyncIterator[Engine]:
    """Give an open engine whose tables are empty; nothing may be out at the end."""
    async with make_engine() as engine:
        await engine.create_tables()
        yield engine
        assert engine.statistics().checked_out == 0
        assert engine.statistics().sessions == ()


class Offline(Engine):
    """An open engine on servers that are not there: whatever it sends fails."""

    async def check_server(self) -> None: ...


@pytest.fixture
async def offline(unused_tcp_port: int) -> AsyncIterator[Engine]:
    """Give an engine for what must be refused before anything is sent."""
    servers = {
        "database_url": f"mysql+asyncmy://u:p@127.0.0.1:{unused_tcp_port}/d",
        "redis_url": f"redis://127.0.0.1:{unused_tcp_port}",
    }
    async with Offline(Settings(**servers)) as engine:
        checkouts: list[object] = []
        for each in (engine.engine, engine.reader):
            event.listen(each.sync_engine, "do_connect", lambda *given: checkouts.append(given))
        yield engine
        assert checkouts == []


@pytest.fixture
def statements() -> Callable[[Engine], list[str]]:
    """Record every statement that an engine sends from now on."""

    def record(engine: Engine) -> list[str]:
        seen: list[str] = []
        for each in (engine.engine, engine.reader):
            event.listen(each.sync_engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        return seen

    return record


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Look at a server until it says what is wanted: it learns of a closed connection a moment later."""

    async def look_again(wanted: object, look: Callable[[], Awaitable[object]]) -> None:
        deadline = asyncio.get_running_loop().time() + 10
        while (found := await look()) != wanted and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0)
        assert found == wanted

    return look_again


class CancelledAt:
    """
    Await a coroutine, and cancel the task just as it begins to wait for the `step`th time.

    Unlike a cancellation after some time this hits every `await` of a program, one run after the other.
    """

    def __init__(self, step: int, work: Coroutine[Any, Any, object]) -> None:
        self.step = step
        self.work = work
        self.hit = False

    def __await__(self) -> Generator[Any, Any, object]:
        waiting = self.work.__await__()
        resume: Callable[[], Any] = lambda: waiting.send(None)  # noqa: E731
        for step in range(10**6):
            try:
                future = resume()
            except StopIteration as ended:
                return ended.value
            if step == self.step:
                self.hit = True
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield future
                resume = lambda: waiting.send(None)  # noqa: E731
            except BaseException as thrown:
                resume = lambda error=thrown: waiting.throw(error)  # noqa: E731
        raise AssertionError("the coroutine never ends")


async def run(awaitable: Awaitable[object]) -> object:
    return await awaitable


@pytest.fixture
def cancel_everywhere() -> Callable[..., Awaitable[list[bool]]]:
    """
    Run `work()` in its own task again and again, cancelled at its first wait, its second, and so on.

    After each run `check(cancelled)` is awaited. Return for each run whether the cancellation came out.
    """

    async def drive(
        work: Callable[[], Coroutine[Any, Any, object]], check: Callable[[bool], Awaitable[None]]
    ) -> list[bool]:
        outcomes: list[bool] = []
        for step in range(1000):
            cancelling = CancelledAt(step, work())
            task = asyncio.create_task(run(cancelling), name=f"cancelled at {step}")
            await asyncio.wait([task])
            if not cancelling.hit:
                task.result()
                return outcomes
            outcomes.append(task.cancelled())
            # SQLite's file stays locked as long as the traceback of a cancelled task keeps a half-read SELECT.
            del task, cancelling
            gc.collect(1)
            await check(outcomes[-1])
        raise AssertionError("too many steps")

    return drive
