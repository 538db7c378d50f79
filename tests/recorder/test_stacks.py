"""A place is the user's line, whatever lies between it and the hook."""

from __future__ import annotations

import asyncio
import linecache
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from greenlet import greenlet
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from labkit.recorder import stacks
from labkit.recorder.stacks import NOWHERE, Places, frames_of, is_library, user_frame

MakeEngine = Callable[..., AsyncEngine]


def here() -> int:
    return sys._getframe(1).f_lineno


def made(name: str, file: str = "/srv/app/made.py") -> Callable[..., Any]:
    """Make a function of its own code, which calls what it is given."""
    space: dict[str, Any] = {}
    exec(compile(f"def {name}(call, *args):\n    return call(*args)\n", file, "exec"), space)
    function: Callable[..., Any] = space[name]
    return function


def test_a_line_is_where_the_frame_is() -> None:
    store = Places()
    place, line = store.capture(sys._getframe()), here()

    [stack] = store.resolve()[place:]
    assert (stack[0].file, stack[0].line) == (__file__, line)
    assert stack[0].function == "test_a_line_is_where_the_frame_is"


def test_the_same_line_has_one_number_and_another_line_another() -> None:
    store = Places()
    one, again = (store.capture(sys._getframe()) for _ in range(2))
    other = store.capture(sys._getframe())

    assert one == again != other
    assert store.innermost(one) != store.innermost(other)


def test_no_line_of_the_users_is_nowhere() -> None:
    store = Places()

    assert store.capture(None) == NOWHERE
    assert store.resolve() == [[]]
    assert store.innermost(NOWHERE) is None
    assert len(store) == 1


def test_only_the_innermost_lines_of_a_deep_stack_are_kept() -> None:
    store = Places()

    def dive(depth: int) -> int:
        return dive(depth - 1) if depth else store.capture(sys._getframe())

    place = dive(40)
    assert len(store.resolve()[place]) == stacks.DEPTH


def test_what_started_the_loop_is_not_on_the_stack_of_what_runs_in_it() -> None:
    store = Places()

    async def main() -> int:
        return store.capture(sys._getframe())

    place = asyncio.run(main())
    [line] = store.resolve()[place]
    assert line.function.endswith("main")


async def test_the_users_line_is_found_from_inside_sqlalchemys_greenlet(make_engine: MakeEngine) -> None:
    store, seen = Places(), []
    engine = make_engine()
    event.listen(engine.sync_engine, "checkout", lambda *_: seen.append(store.capture(user_frame())))
    async with engine.connect():
        line = here() - 1
    await engine.dispose()

    place = store.resolve()[seen[0]][0]
    assert (place.file, place.line) == (__file__, line)


def test_another_librarys_greenlet_is_no_reason_to_leave_the_stack() -> None:
    frame = greenlet(lambda: user_frame()).switch()

    assert frame.f_code.co_name == "<lambda>"


def test_a_suspended_coroutine_is_where_it_awaits() -> None:
    store = Places()

    async def inner() -> None:
        await asyncio.sleep(60)

    async def outer() -> None:
        await inner()

    async def main() -> None:
        task = asyncio.create_task(outer())
        await asyncio.sleep(0)
        place = store.capture_suspended(task.get_coro())
        functions = [line.function.rpartition(".")[2] for line in store.resolve()[place]]
        assert functions == ["inner", "outer"]
        assert store.is_inside(place, task.get_coro())
        task.cancel()

    asyncio.run(main())


def test_a_coroutine_that_has_left_a_function_is_not_inside_it_any_more() -> None:
    store = Places()

    async def inner() -> int:
        return store.capture(sys._getframe())

    async def outer() -> int:
        place = await inner()
        await asyncio.sleep(60)
        return place

    async def main() -> None:
        task = asyncio.create_task(outer())
        await asyncio.sleep(0)
        assert not store.is_inside(len(store) - 1, task.get_coro())
        assert not store.is_inside(NOWHERE, task.get_coro())
        task.cancel()

    asyncio.run(main())


def test_what_awaits_without_frames_has_none() -> None:
    class Awaited:
        def __await__(self) -> Any:
            yield

    assert frames_of(Awaited()) == []


def test_an_async_generator_is_where_it_yields() -> None:
    async def rows() -> Any:
        yield 1

    async def main() -> None:
        generator = rows()
        await anext(generator)
        assert [frame.f_code.co_name for frame in frames_of(generator)] == ["rows"]
        await generator.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("filename", "library"),
    [
        (asyncio.__file__, True),
        (pytest.__file__, True),
        (stacks.__file__, True),
        ("/home/ada/app/site-packages/thing.py", True),
        ("<frozen importlib._bootstrap>", True),
        ("<ipython-input-3-abc>", False),
        ("<stdin>", False),
        ("<string>", False),
        ("/home/ada/app/main.py", False),
        (str(Path(stacks.__file__).parents[1] / "bugs" / "lost_session.py"), False),
        ("", False),
    ],
)
def test_a_file_is_the_users_or_a_librarys(filename: str, library: bool) -> None:
    assert is_library(filename) is library


def test_a_module_has_a_name_of_its_own() -> None:
    store = Places()
    module = types.ModuleType("app")
    module.__dict__.update(store=store, sys=sys)
    exec(compile("place = store.capture(sys._getframe())", "/srv/app/app.py", "exec"), module.__dict__)

    assert str(store.resolve()[module.place][0]) == "app.py:1 in the module"


def test_a_line_needs_no_source(tmp_path: Path) -> None:
    store = Places()
    place = made("gone", str(tmp_path / "deleted.py"))(lambda: store.capture(sys._getframe(1)))
    linecache.clearcache()

    assert str(store.resolve()[place][0]) == "deleted.py:2 in gone"


def test_beyond_its_limit_a_stack_is_kept_as_its_innermost_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "STACKS", 3)
    store = Places()
    chains = [made(f"f{number}") for number in range(10)]

    def through(chain: Callable[..., Any]) -> int:
        return int(chain(lambda: store.capture(sys._getframe(1))))

    taken = [through(chain) for chain in chains]
    assert len(store) == 6
    assert [len(stack) for stack in store.resolve()][3:] == [1, 1, 1]
    assert taken[-1] == NOWHERE


def test_beyond_its_limit_new_code_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "CODES", 20)
    store = Places()
    for number in range(100):
        made(f"job_{number}", f"/srv/app/{number}.py")(lambda: store.capture(sys._getframe(1)))

    assert len(store._known) == 20
    assert len(store._files) <= 20
    assert all(stack[0].file for stack in store.resolve() if stack)


def test_threads_that_capture_at_the_same_time_get_their_own_lines() -> None:
    store, wrong = Places(), []
    start = threading.Barrier(4)

    def work(thread: int) -> None:
        functions = [made(f"t{thread}_{number}") for number in range(400)]
        start.wait()
        for function in functions:
            place = function(lambda: store.capture(sys._getframe(1)))
            found.append((place, function.__name__))

    found: list[tuple[int, str]] = []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    stacks = store.resolve()
    wrong = [name for place, name in found if stacks[place][0].function != name]
    assert wrong == []


def test_a_capture_inside_another_capture_takes_no_number_away() -> None:
    """What a finaliser does when it runs in the middle of `_number`."""
    store = Places()

    class Numbers:
        def __next__(self) -> int:
            store._stack_numbers = later
            inner.append(made("inner")(lambda: store.capture(sys._getframe(1))))
            return first

    inner: list[int] = []
    first, later = next(store._stack_numbers), store._stack_numbers
    store._stack_numbers = Numbers()  # type: ignore[assignment]
    outer = made("outer")(lambda: store.capture(sys._getframe(1)))

    stacks = store.resolve()
    assert [stacks[place][0].function for place in (outer, inner[0])] == ["outer", "inner"]
