"""A hook that fails is the recorder's own trouble: the user's program goes on as if it weren't there."""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nest_asyncio
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from labkit.recorder import FlightRecorder, hooks
from labkit.recorder.ledger import Ledger
from labkit.recorder.patching import guarded, hook
from labkit.recorder.trackers import Trackers
from labkit.recorder.trackers.targets import Targets

from .aids import LEAKY, fly
from .everything import everything

pytestmark = [
    *(pytest.mark.filterwarnings(each) for each in LEAKY),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

MakeEngine = Callable[..., AsyncEngine]


class Injected(Exception):
    pass


# The hooks, as they are found in `hooks`: a new one is tried without being named here.

_MADE_BY = {made(lambda *_: None).__code__ for made in (hook, guarded)}


def all_hooks() -> Iterator[Any]:
    for found in pkgutil.iter_modules(hooks.__path__):
        module = importlib.import_module(f"{hooks.__name__}.{found.name}")
        for value in vars(module).values():
            if getattr(value, "__code__", None) in _MADE_BY and value.__module__ == module.__name__:
                yield pytest.param(value, id=f"{found.name}.{value.__name__}")


def methods() -> Iterator[Any]:
    """Every method of every book, and of the ledger that they write."""
    parts = vars(Trackers(Ledger(20, "pool"), Targets())).values()
    for kind in {type(part): None for part in parts}:
        for name, value in vars(kind).items():
            if inspect.isfunction(value) and name not in {"__init__", "fault"}:
                yield pytest.param(kind, name, id=f"{kind.__name__}.{name}")


HOOKS, METHODS = list(all_hooks()), list(methods())


def replace(hook: Any, make: Callable[[Any], Any]) -> Callable[[], None]:
    """Let a hook do something else, wherever it is registered; return what puts it back."""
    [cell] = [
        cell
        for name, cell in zip(hook.__code__.co_freevars, hook.__closure__, strict=True)
        if name in {"write", "work"}
    ]
    original = cell.cell_contents
    cell.cell_contents = functools.wraps(original)(make(original))
    return functools.partial(setattr, cell, "cell_contents", original)


def break_hook(hook: Any, error: type[BaseException] = Injected) -> Callable[[], None]:
    """Let a hook fail; return what fixes it."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    return replace(hook, lambda original: fail)


@pytest.fixture(autouse=True)
def nested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give nest_asyncio a stand-in, which does to asyncio.run what the real one does and can be taken back."""

    def run(main: Any) -> Any:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main)

    def apply() -> None:
        asyncio.run = run  # type: ignore[assignment]

    monkeypatch.setattr(nest_asyncio, "apply", apply)


@pytest.fixture(scope="module")
def expected() -> list[Any]:
    """Keep what the program gives without a recorder."""
    return []


@pytest.fixture
def run(tmp_path: Path, redis_url: str, expected: list[Any]) -> Callable[[], list[str]]:
    """Return a function that runs the program under a recorder, compares, and returns the faults."""
    url = f"sqlite+aiosqlite:///{tmp_path}/program.db"
    if not expected:
        expected.extend(everything(url, redis_url))

    def recorded() -> list[str]:
        with FlightRecorder(level="statements") as flight:
            seen = everything(url, redis_url, lambda: "\n".join(flight._ledger.faults))
        child, seen[0] = seen[0].removeprefix("child "), "child "
        assert seen == expected
        return [*flight._ledger.faults, *child.splitlines()]

    return recorded


def test_the_program_is_the_same_under_the_recorder(run: Callable[[], list[str]]) -> None:
    assert run() == []


def test_the_program_meets_every_hook(tmp_path: Path, redis_url: str) -> None:
    met: set[str] = set()

    def meeting(hook: Any) -> Callable[[], None]:
        return replace(hook, lambda original: lambda *args: met.add(hook.__name__) or original(*args))

    put_back = [meeting(hook) for hook in (param.values[0] for param in HOOKS)]
    try:
        with FlightRecorder(level="statements"):
            [child, *_] = everything(f"sqlite+aiosqlite:///{tmp_path}/program.db", redis_url, lambda: " ".join(met))
    finally:
        for each in put_back:
            each()
    assert {param.values[0].__name__ for param in HOOKS} - met == {"forked"}
    assert "forked" in child.split()


def test_hooks_that_all_fail_change_nothing(run: Callable[[], list[str]]) -> None:
    fixed = [break_hook(param.values[0]) for param in HOOKS]
    try:
        faults = run()
    finally:
        for fix in fixed:
            fix()
    assert len(faults) >= 20


@pytest.mark.push
@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_fails_is_reported_and_changes_nothing(hook: Any, run: Callable[[], list[str]]) -> None:
    fix = break_hook(hook)
    try:
        faults = run()
    finally:
        fix()
    assert faults
    assert all(fault.startswith(f"{hook.__name__.lstrip('_')}: Injected at test_faults.py:") for fault in faults)


def test_books_that_all_fail_change_nothing(run: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise Injected

    for kind, name in (param.values for param in METHODS):
        monkeypatch.setattr(kind, name, fail)
    assert run()


@pytest.mark.push
@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_a_book_that_fails_is_reported_and_changes_nothing(
    kind: type, name: str, run: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail(*args: Any, **kwargs: Any) -> None:
        calls.append(name)
        raise Injected

    monkeypatch.setattr(kind, name, fail)
    faults = run()
    assert bool(faults) == (bool(calls) or name == "forked")  # which is called in the child


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_ends_the_program_is_not_swallowed(make_engine: MakeEngine, error: type[BaseException]) -> None:
    from labkit.recorder.hooks import pools

    async def main() -> None:
        engine = make_engine()
        fix = break_hook(pools.checkout, error)
        try:
            with pytest.raises(error):
                await engine.connect()
        finally:
            fix()
        await engine.dispose()

    assert fly(main).record().faults == []


def test_a_hook_that_fails_in_a_finaliser_is_reported(
    make_engine: MakeEngine, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from labkit.recorder.hooks import pools

    async def main() -> None:
        engine = make_engine()
        kept = [await engine.connect()]
        fixed = [break_hook(hook) for hook in (pools.reset, pools.detach, pools.close_detached)]
        kept.clear()
        gc.collect()
        for fix in fixed:
            fix()
        assert engine.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await engine.dispose()

    faults = fly(main).record().faults
    assert [fault.partition(" at ")[0] for fault in faults] == [
        *("reset: Injected", "detach: Injected", "close_detached: Injected")
    ]
    assert "Injected" not in capfd.readouterr().err + caplog.text


def test_a_pool_whose_end_can_not_be_written_down_ends_all_the_same(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        engine = make_engine()
        async with engine.connect():
            pass
        monkeypatch.setattr(Ledger, "incident", _fail)
        del engine
        gc.collect()
        monkeypatch.undo()

    faults = fly(main).record().faults
    assert [fault.partition(" at ")[0] for fault in faults] == ["pool_dropped: Injected"]
    assert "Injected" not in capfd.readouterr().err


def _fail(*args: Any, **kwargs: Any) -> None:
    raise Injected


@pytest.mark.parametrize("step", ["asked", "served", "timed_out"])
def test_waiting_for_a_pool_is_not_disturbed(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from labkit.recorder.trackers.pools import PoolTracker

    async def main() -> None:
        engine = make_engine(pool_size=1, max_overflow=0, pool_timeout=0.01)
        async with engine.connect():
            with pytest.raises(PoolTimeout):
                await engine.connect()
        await engine.dispose()

    monkeypatch.setattr(PoolTracker, step, _fail)
    faults = fly(main).record().faults
    assert {fault.partition(":")[0] for fault in faults} == {step}


def test_a_fault_names_a_class_and_a_line_and_no_message(make_engine: MakeEngine) -> None:
    ledger = Ledger(20, "pool")
    try:
        raise ValueError("secret")
    except ValueError as error:
        ledger.fault("hook", error)
    [fault] = ledger.faults
    assert fault.startswith("hook: ValueError at test_faults.py:")
    assert "secret" not in fault


def test_only_the_latest_faults_are_kept() -> None:
    ledger = Ledger(20, "pool")
    for number in range(100):
        ledger.fault(f"hook {number}", ValueError())
    assert len(ledger.faults) == 20
    assert ledger.faults[-1] == "hook 99: ValueError at "


class Proxy:
    """As web frameworks have them: even to ask for its class fails outside a request."""

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("working outside of request context")


def test_a_generator_may_hold_what_can_not_be_asked_for_its_class(make_engine: MakeEngine) -> None:
    async def rows(engine: AsyncEngine) -> Any:
        request = Proxy()
        async with AsyncSession(engine) as session:
            yield request, session

    async def main() -> None:
        engine = make_engine()
        generator = rows(engine)
        await anext(generator)
        kept.append(generator)

    kept: list[Any] = []
    flight = fly(main)
    assert flight.record().faults == []
    assert [finding.code for finding in flight.findings()] == ["abandoned-generator"]


def test_a_session_class_may_be_anything_that_a_factory_accepts(make_engine: MakeEngine) -> None:
    from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker

    class Bare:
        def __init__(self, **options: Any) -> None:
            pass

    with FlightRecorder() as flight:
        assert isinstance(async_sessionmaker(class_=Bare)(), Bare)  # type: ignore[type-var]
        assert isinstance(async_scoped_session(lambda: Bare(), lambda: 1)(), Bare)  # type: ignore[arg-type, return-value]
    assert len(flight.record().faults) == 2


def test_the_hooks_are_found() -> None:
    assert len({param.id for param in HOOKS}) == len(HOOKS) > 30
    assert len(METHODS) > 60
