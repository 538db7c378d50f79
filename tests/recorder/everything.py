"""A program that meets every hook of the recorder once, and says what it saw: with the recorder and without."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from typing import Any

import nest_asyncio
from redis.asyncio import Redis
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)

from .aids import Base, Entry

ONE = text("SELECT 1")


def everything(url: str, redis_url: str, in_child: Callable[[], str] = str) -> list[Any]:
    """Return what each step gave, and the state of the pool after it; `in_child` says what a forked child knows."""
    seen: list[Any] = [_fork(in_child)]
    event = asyncio.Event()
    seen.append(_nested())
    seen.append(asyncio.run(_main(url, redis_url, event)))
    seen.append(asyncio.run(_outcome(event.wait())))
    gc.collect()
    return seen


async def _outcome(step: Any) -> Any:
    """Return what an awaitable gives, or the name of what it raises."""
    try:
        return await step
    except Exception as error:
        return type(error).__name__


def _fork(in_child: Callable[[], str]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, f"child {in_child()}".encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def _nested() -> Any:
    """What is applied here is a stand-in: the real one could not be taken off again."""
    original = asyncio.run
    try:
        nest_asyncio.apply()

        async def inner() -> str:
            return "nested"

        return asyncio.run(inner())
    finally:
        loop = asyncio.get_event_loop()
        asyncio.run = original
        asyncio.set_event_loop(None)
        loop.close()


async def _main(url: str, redis_url: str, event: asyncio.Event) -> list[Any]:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    engine = create_async_engine(url, pool_size=2, max_overflow=0, pool_timeout=0.01)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(delete(Entry))
    seen: list[Any] = []
    for step in (_sessions, _registries, _connections, _waits, _generators, _leaks, _tasks):
        seen += [await step(engine), engine.sync_engine.pool.status()]
    seen.append(await _redis(redis_url))
    await engine.dispose()
    seen.append(engine.sync_engine.pool.status())
    waiting = asyncio.create_task(event.wait())  # still waits when the loop ends
    await asyncio.sleep(0)
    assert not waiting.done()
    return seen


async def _sessions(engine: AsyncEngine) -> Any:
    async with AsyncSession(engine) as session:
        entry = Entry(id=1, text="kept")
        session.add(entry)
        await session.commit()
        try:
            expired = entry.text
        except Exception as error:
            expired = type(error).__name__
        session.add(Entry(id=2, text="not kept"))
        await session.flush()
        await session.rollback()
        await session.execute(delete(Entry).where(Entry.id == 3))
        count = await session.scalar(select(func.count()).select_from(Entry))
        return [expired, count, await _outcome(session.execute(text("SELECT broken")))]


async def _registries(engine: AsyncEngine) -> Any:
    registry = async_scoped_session(async_sessionmaker(engine), asyncio.current_task)

    async def work() -> Any:
        value = await registry.scalar(ONE)
        await registry.commit()
        return value

    _registries.kept = registry  # type: ignore[attr-defined]  # as a module would keep it
    return await asyncio.create_task(work())


async def _connections(engine: AsyncEngine) -> Any:
    async with engine.connect() as connection:
        (await connection.get_raw_connection()).detach()
    async with engine.connect() as connection:
        await connection.invalidate()
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        return (await connection.execute(ONE)).scalar()


async def _waits(engine: AsyncEngine) -> Any:
    async with engine.connect(), engine.connect():
        try:
            await engine.connect()
        except PoolTimeout as error:
            return str(error)


async def _generators(engine: AsyncEngine) -> Any:
    async def rows() -> Any:
        async with AsyncSession(engine) as session:
            yield await session.scalar(ONE)

    generator = rows()
    first = await anext(generator)
    del generator
    gc.collect()
    while engine.sync_engine.pool.checkedout():  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    return first


async def _leaks(engine: AsyncEngine) -> Any:
    connection = await engine.connect()
    value = (await connection.execute(ONE)).scalar()
    del connection
    gc.collect()
    other = create_async_engine(engine.url)
    async with other.connect():
        pass
    del other
    gc.collect()
    return value


async def _tasks(engine: AsyncEngine) -> Any:
    async def hold() -> None:
        async with engine.connect():
            await asyncio.Event().wait()

    async def in_time() -> None:
        async with asyncio.timeout(0.001):
            await hold()

    task = asyncio.create_task(hold())
    while not engine.sync_engine.pool.checkedout():  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task was destroyed but it is pending!", "task": task}
    )
    asyncio.get_running_loop().call_exception_handler({"message": None})
    task.cancel()
    await asyncio.wait([task])
    return [task.cancelled(), await _outcome(in_time())]


async def _redis(url: str) -> Any:
    client = Redis.from_url(url)
    await client.set("recorder", "once")
    value = await client.get("recorder")
    await client.aclose()
    return value
