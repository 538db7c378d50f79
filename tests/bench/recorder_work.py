"""The work on which the flight recorder's price is measured, and the ways in which it is done."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager

from recorder_pairs import Operation, Variant, during
from redis.asyncio import Redis
from sqlalchemy import String, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from labkit.recorder import FlightRecorder

__all__ = ["A_A", "WORKS", "Engines", "detached_variants", "redis_variants", "variants_of"]

ROWS = 1000
A_A = "A/A"


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "bench_recorder_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


def orm(engine: AsyncEngine) -> Operation:
    async def operation(i: int) -> None:
        async with AsyncSession(engine) as session:
            item = await session.scalar(select(Item).where(Item.id == i % ROWS + 1))
        assert item is not None

    return operation


def orm_in_a_task(engine: AsyncEngine) -> Operation:
    work = orm(engine)

    async def operation(i: int) -> None:
        await asyncio.create_task(work(i))

    return operation


def connect_and_text(engine: AsyncEngine) -> Operation:
    statement = text(f"SELECT name FROM {Item.__tablename__} WHERE id = :id")

    async def operation(i: int) -> None:
        async with engine.connect() as connection:
            assert (await connection.execute(statement, {"id": i % ROWS + 1})).scalar()

    return operation


def checkout_only(engine: AsyncEngine) -> Operation:
    async def operation(i: int) -> None:
        async with engine.connect():
            pass

    return operation


WORKS: dict[str, Callable[[AsyncEngine], Operation]] = {
    "ORM SELECT": orm,
    "ORM SELECT, each in a task": orm_in_a_task,
    "connect + text": connect_and_text,
    "checkout + checkin": checkout_only,
}


class Engines:
    """The engines of one run: one that is recorded, one for each of the others' ways, and two that never are."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._url = database_url
        self.redis = Redis.from_url(redis_url)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Engines:
        _log_to_nowhere()
        self.plain = await self._open()
        await _fill(self.plain)
        self.echoing = await self._open(echo_pool="debug")
        self.traced, self.detached, self.fresh, self.fresh_again = [await self._open() for _ in range(4)]
        self._stack.push_async_callback(self.redis.aclose)
        await self.redis.set("bench:recorder", "Ada")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def _open(self, **options: str) -> AsyncEngine:
        engine = create_async_engine(self._url, **options)
        self._stack.push_async_callback(engine.dispose)
        return engine

    async def get(self, i: int) -> None:
        assert await self.redis.get("bench:recorder")


async def _fill(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Item), [{"name": f"Ada {i}"} for i in range(ROWS)])


def _log_to_nowhere() -> None:
    """Give the pool's logger the handler that SQLAlchemy would give it, on /dev/null instead of on stdout."""
    logger = logging.getLogger("sqlalchemy.pool.impl.AsyncAdaptedQueuePool")
    if not logger.handlers:
        handler = logging.StreamHandler(open(os.devnull, "w"))  # noqa: SIM115
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logger.addHandler(handler)
    logger.propagate = False


def variants_of(work: str, engines: Engines) -> list[Variant]:
    """Return the ways in which a piece of work is done; the first two are the same, and are not recorded."""
    operation = WORKS[work](engines.plain)
    variants = [Variant("off", operation), Variant(A_A, operation), *_recorded(operation)]
    variants.append(Variant('echo_pool="debug"', WORKS[work](engines.echoing)))
    with contextlib.suppress(ImportError):
        variants.append(Variant("OpenTelemetry", WORKS[work](engines.traced), during(_tracing(engines.traced))))
    return variants


def detached_variants(engines: Engines) -> list[Variant]:
    """Return work on an engine that is not recorded any more, beside engines that never were."""
    used = orm(engines.detached)

    @asynccontextmanager
    async def after_use() -> AsyncIterator[None]:
        for level in ("pool", "statements"):
            async with FlightRecorder(engines.detached, level=level):
                await used(1)
        yield

    return [
        Variant("never recorded", orm(engines.fresh)),
        Variant(A_A, orm(engines.fresh_again)),
        Variant("detached", used, after_use),
    ]


def redis_variants(engines: Engines) -> list[Variant]:
    """Return Redis GETs, recorded and not."""
    recorder = FlightRecorder()
    pool = Variant("pool", engines.get, during(lambda: recorder))
    return [Variant("off", engines.get), Variant(A_A, engines.get), pool]


def _recorded(operation: Operation) -> Iterator[Variant]:
    for level in ("pool", "statements"):
        recorder = FlightRecorder(level=level)
        yield Variant(level, operation, during(lambda recorder=recorder: recorder))


def _tracing(engine: AsyncEngine) -> Callable[[], AbstractContextManager[None]]:
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider()

    @contextlib.contextmanager
    def tracing() -> Iterator[None]:
        instrumentor = SQLAlchemyInstrumentor()
        # It asks for SQLAlchemy < 2.1, and works with 2.1.
        instrumentor.instrument(engine=engine.sync_engine, tracer_provider=provider, skip_dep_check=True)
        try:
            yield
        finally:
            instrumentor.uninstrument()

    return tracing
