"""A recorder begins and ends as often as one likes, and leaves no trace in what it listened to."""

from __future__ import annotations

import asyncio
import gc
import importlib
import pkgutil
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from labkit.errors import InvalidSetting, LabkitError
from labkit.recorder import EVENTS, FlightRecorder, hooks, patching
from labkit.recorder.patching import Patches

from .aids import LEAKY, codes, ends, fly, told

pytestmark = [pytest.mark.filterwarnings(each) for each in LEAKY]

MakeEngine = Callable[..., AsyncEngine]
ONE = text("SELECT 1")

PROBES = [
    importlib.import_module(f"{hooks.__name__}.{found.name}") for found in pkgutil.iter_modules(hooks.__path__)
]


async def use(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(ONE)


# Beginning and ending.


def test_a_recorder_that_is_started_twice_records_once(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        await engine.dispose()

    flight = FlightRecorder()
    assert flight.start() is flight.start() is flight
    asyncio.run(main())
    flight.stop()
    assert patching.active() == ()
    flight.stop()
    assert told(flight).count("checkout 1") == 1


def test_a_recorder_that_was_never_started_knows_nothing() -> None:
    flight = FlightRecorder()
    flight.stop()
    assert (flight.events, flight.findings(), flight.holders()) == ([], [], [])
    assert repr(flight) == "<FlightRecorder stopped: 0 checkouts, 0 out, 0 incidents>"


def test_a_recorder_can_be_started_again_and_goes_on(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        with flight:
            await use(engine)
            assert repr(flight).startswith("<FlightRecorder recording:")
        await use(engine)
        with flight:
            await use(engine)
        await engine.dispose()

    flight = FlightRecorder()
    asyncio.run(main())
    assert flight.statistics().checkouts == 2
    assert flight.statistics().opened == 1


def test_a_recorder_is_a_context_manager_of_both_kinds(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        async with FlightRecorder() as flight:
            assert patching.active()
            await use(engine)
        await engine.dispose()
        assert (flight.statistics().checkouts, patching.active()) == (1, ())

    asyncio.run(main())


def test_what_the_block_raises_comes_through() -> None:
    async def main() -> None:
        async with FlightRecorder():
            raise KeyError("async")

    with pytest.raises(KeyError, match="sync"), FlightRecorder():
        raise KeyError("sync")
    with pytest.raises(KeyError, match="async"):
        asyncio.run(main())


def test_nested_recorders_both_see_what_happens_in_the_inner_one(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        with FlightRecorder() as inner:
            await use(engine)
        await use(engine)
        await engine.dispose()
        assert inner.statistics().checkouts == 1

    with FlightRecorder() as outer:
        asyncio.run(main())
    assert outer.statistics().checkouts == 3
    assert codes(outer) == []


def test_overlapping_recorders_end_in_any_order(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        first, second = FlightRecorder().start(), FlightRecorder().start()
        await use(engine)
        first.stop()
        await use(engine)
        second.stop()
        await use(engine)
        await engine.dispose()
        assert (first.statistics().checkouts, second.statistics().checkouts) == (1, 2)

    asyncio.run(main())


def test_a_recorder_that_starts_in_a_running_loop_hears_of_its_generators_and_its_end(
    make_engine: MakeEngine,
) -> None:
    async def rows(engine: AsyncEngine) -> Any:
        async with AsyncSession(engine) as session:
            await session.execute(ONE)
            yield 1

    async def main() -> None:
        before = sys.get_asyncgen_hooks()
        flight.start()
        inner = FlightRecorder().start()
        engine = make_engine()
        generator = rows(engine)
        await anext(generator)
        del generator
        gc.collect()
        inner.stop()
        while flight.statistics().out:  # until the loop has closed the generator
            await asyncio.sleep(0)
        await engine.dispose()
        flight.stop()
        assert sys.get_asyncgen_hooks() == before
        flight.start()

    flight = FlightRecorder()
    asyncio.run(main())
    flight.stop()
    assert codes(flight) == ["abandoned-generator"]
    assert flight.record().loops[0].closed is not None


def test_a_recorder_may_be_stopped_in_another_thread_than_it_was_started_in(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        flight.start()
        await use(engine)
        await asyncio.to_thread(flight.stop)
        await use(engine)
        await engine.dispose()

    flight = FlightRecorder()
    asyncio.run(main())
    assert flight.statistics().checkouts == 1


def test_recorders_of_many_threads_leave_nothing_behind(footprint: Any) -> None:
    before = footprint()

    def work() -> None:
        start.wait()
        for level in ("pool", "statements") * 40:
            with FlightRecorder(level=level):
                pass

    start = threading.Barrier(4)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert footprint() == before


# What stays: nothing.


@pytest.fixture
def footprint(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, Any]]:
    """Return a way to look at everything that any probe has ever wrapped or listened to."""
    wrapped: dict[tuple[int, str], tuple[Any, str]] = {}
    wrap = Patches.wrap

    def remembering(self: Patches, owner: Any, name: str, make: Any) -> None:
        wrapped[id(owner), name] = (owner, name)
        wrap(self, owner, name, make)

    monkeypatch.setattr(Patches, "wrap", remembering)
    with FlightRecorder(level="statements"):
        pass
    monkeypatch.setattr(Patches, "wrap", wrap)
    assert len(wrapped) > 20

    def look() -> dict[str, Any]:
        attributes = {f"{owner}.{name}": vars(owner).get(name) for owner, name in wrapped.values()}
        return {**attributes, **listeners(), "flag": Engine._has_events, "hooks": sys.get_asyncgen_hooks()}

    return look


def listeners() -> dict[str, int]:
    """Count who listens, to any event of any class that has some."""
    counts = {}
    for target in (Pool, Session, Engine):
        events: Any = target.dispatch
        for name in events._event_names:
            counts[f"{target.__name__}.{name}"] = len(getattr(events, name)._clslevel.get(target, ()))
    return counts


def heard(engine: AsyncEngine) -> dict[str, list[Any]]:
    """Return who listens to one engine's pool: what `connect` does is also set up there."""
    events: Any = engine.sync_engine.pool.dispatch
    return {name: list(getattr(events, name)) for name in events._event_names if name != "first_connect"}


@pytest.mark.parametrize("level", ["pool", "statements"])
def test_after_the_end_every_library_is_as_it_was(
    make_engine: MakeEngine, footprint: Callable[[], dict[str, Any]], level: Any
) -> None:
    async def main() -> None:
        engine = make_engine()
        registry = async_scoped_session(async_sessionmaker(engine), asyncio.current_task)
        before = [footprint(), heard(engine)]
        with FlightRecorder(level=level):
            assert footprint() != before[0]
            await registry.execute(ONE)
            await registry.remove()
        assert [footprint(), heard(engine)] == before
        assert not engine.sync_engine._has_events
        await engine.dispose()

    asyncio.run(main())


def test_nothing_is_wrapped_twice_by_a_second_recorder(footprint: Callable[[], dict[str, Any]]) -> None:
    with FlightRecorder():
        one = footprint()
        with FlightRecorder():
            assert footprint() == one
        assert footprint() == one


def test_what_was_made_meanwhile_is_as_it_would_have_been(make_engine: MakeEngine) -> None:
    with FlightRecorder():
        registry = async_scoped_session(async_sessionmaker(make_engine()), asyncio.current_task)
        assert registry.registry.createfunc is not registry.session_factory
    assert registry.registry.createfunc is registry.session_factory


def test_at_the_level_pool_no_engine_asks_for_listeners(make_engine: MakeEngine) -> None:
    with FlightRecorder():
        assert not make_engine().sync_engine._has_events
    with FlightRecorder(level="statements"):
        assert make_engine().sync_engine._has_events


def test_who_listens_to_all_engines_meanwhile_goes_on_listening(make_engine: MakeEngine) -> None:
    heard = []

    def listen(*arguments: Any) -> None:
        heard.append(arguments[2])

    async def main() -> None:
        engine = make_engine()
        with FlightRecorder(level="statements"):
            event.listen(Engine, "before_cursor_execute", listen)
        await use(engine)
        await engine.dispose()

    try:
        asyncio.run(main())
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
        Engine._has_events = False
    assert heard == ["SELECT 1"]


def test_somebody_elses_wrapper_around_a_wrapper_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    with FlightRecorder():
        inner = Pool.connect
        monkeypatch.setattr(Pool, "connect", lambda self: calls.append(self) or inner(self))
        theirs = Pool.connect
    assert Pool.connect is theirs
    monkeypatch.undo()
    Pool.connect = inner.__wrapped__  # type: ignore[attr-defined, method-assign]


def test_a_library_that_lacks_what_is_wrapped_is_left_alone() -> None:
    library, own = ModuleType("library"), Patches()
    own.wrap(library, "gone", lambda original: None)
    assert not hasattr(library, "gone")
    own.remove()


def test_a_wrapper_of_an_inherited_method_is_taken_off_again() -> None:
    class Base:
        def run(self) -> str:
            return "base"

    class Child(Base):
        pass

    own = Patches()
    own.wrap(Child, "run", lambda original: lambda self: f"wrapped {original(self)}")
    assert Child().run() == "wrapped base"
    own.remove()
    assert "run" not in vars(Child)
    assert Child().run() == "base"


# Bounds and settings.


@pytest.mark.parametrize("level", ["Pool", "", None, 1, ["pool"]])
def test_there_is_no_other_level(level: Any) -> None:
    with pytest.raises(InvalidSetting, match=r"there is no level .*Choose \"pool\" or \"statements\"."):
        FlightRecorder(level=level)


@pytest.mark.parametrize("events", [1, 0, -5, "many", 2.5, None])
def test_a_recorder_needs_room_for_two_events(events: Any) -> None:
    with pytest.raises(InvalidSetting, match="can't keep"):
        FlightRecorder(events=events)


def test_the_smallest_recorder_keeps_one_checkout_and_one_mark_and_what_is_out(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        for _ in range(5):
            await use(engine)
        kept.append(await engine.connect())
        kept.append(await engine.connect())

    kept: list[Any] = []
    with FlightRecorder(events=2) as flight:
        asyncio.run(main())
        record = flight.record()
        assert (len(record.checkouts), len(record.marks)) == (3, 1)
        assert len(flight.holders()) == 2
        assert codes(flight) == ["leaked-connection", "leaked-connection"]
        kept.clear()
        gc.collect()
    assert flight.statistics().checkouts == 7
    assert flight.statistics().forgotten > 8


def test_a_recorder_keeps_twenty_thousand_events_unless_told_otherwise() -> None:
    flight = FlightRecorder()
    assert EVENTS == 20_000
    assert (flight._ledger.done.maxlen, flight._ledger.marks.maxlen) == (10_000, 10_000)


# Reading.


def test_what_a_live_task_holds_is_no_finding_until_the_program_ends(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        async with engine.connect():
            [holder] = flight.holders()
            assert holder.until is None
            assert (flight.findings(), flight.record().ended) == ([], False)
            flight.finish()
            assert flight.record().ended
            assert codes(flight) == ["leaked-connection"]
            assert "still out when the program ended" in flight.findings()[0].summary
            flight.finish()
            assert flight.statistics().incidents == 1
        assert "it did come back" in flight.findings()[0].summary
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())


def test_what_is_idle_when_the_program_ends_was_not_disposed_of(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        await use(engine)
        flight.finish()
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())
    assert codes(flight) == ["engine-not-disposed"]
    assert "when the program ended" in flight.findings()[0].summary


def test_a_holder_is_shown_where_it_waits_now(make_engine: MakeEngine) -> None:
    async def hold(engine: AsyncEngine) -> None:
        async with engine.connect():
            await asyncio.sleep(60)

    async def main() -> None:
        engine = make_engine()
        task = asyncio.create_task(hold(engine))
        while not flight.statistics().out:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        record = flight.record()
        [holder] = record.holders()
        began, waits = record.where(holder.place), record.where(holder.task.waits)
        assert began is not None
        assert waits is not None
        assert began.line + 1 == waits.line
        task.cancel()
        await asyncio.wait([task])
        await engine.dispose()

    with FlightRecorder() as flight:
        asyncio.run(main())


def test_a_record_is_not_changed_by_what_follows(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        async with engine.connect():
            taken.append(flight.record())
        await engine.dispose()

    taken: list[Any] = []
    with FlightRecorder() as flight:
        asyncio.run(main())
    assert [checkout.end for checkout in taken[0].checkouts] == [None]
    assert ends(flight) == ["returned"]
    assert taken[0].counts.checkins == 0


def test_statistics_count_what_the_ring_has_forgotten(make_engine: MakeEngine) -> None:
    async def main() -> None:
        engine = make_engine()
        for _ in range(4):
            await use(engine)
        await engine.dispose()

    statistics = fly(main, events=2).statistics()
    assert (statistics.checkouts, statistics.checkins, statistics.out) == (4, 4, 0)
    assert (statistics.opened, statistics.closed, statistics.open) == (1, 1, 0)
    assert (statistics.faults, statistics.incidents, statistics.waits) == (0, 0, 0)


def test_the_errors_say_what_to_do() -> None:
    with pytest.raises(LabkitError) as caught:
        FlightRecorder(events=0)
    assert "Give it room for 2 or more." in str(caught.value)
