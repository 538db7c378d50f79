"""A verdict says what came of a clause: kept, broken, failed, out of time, or not run."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from labkit.contract import Clause, Result, check, clauses, find_clause
from labkit.contract.clause import expect, promised
from labkit.contract.stage import new_engine, new_user, on_another_loop
from labkit.engine import Engine
from labkit.errors import InvalidInput
from labkit.services import Capability, Services

SERVICES = Services("none", "sqlite+aiosqlite:///none.db", "redis://127.0.0.1:1", {}, frozenset())

Scene = Callable[[type[Engine], Services], Coroutine[Any, Any, None]]


def a_clause(play: Scene, *needs: Capability, listens: bool = False, limit: float = 10.0) -> Clause:
    return Clause("a_clause", "test", play, frozenset(needs), listens, False, False, False, limit)


async def keep(engine_class: type[Engine], services: Services) -> None: ...


async def break_it(engine_class: type[Engine], services: Services) -> None:
    expect("one row", found=2, to_be=1)


async def fail(engine_class: type[Engine], services: Services) -> None:
    raise LookupError("nobody is there")


async def hang(engine_class: type[Engine], services: Services) -> None:
    await asyncio.Event().wait()


async def fail_in_silence(engine_class: type[Engine], services: Services) -> None:
    warnings.warn("unclosed door", ResourceWarning, stacklevel=1)


def test_a_clause_that_ends_is_kept() -> None:
    verdict = check(a_clause(keep), Engine, SERVICES)

    assert (verdict.result, verdict.text, verdict.findings) == (Result.KEPT, "", ())


def test_an_assertion_error_is_a_broken_promise_in_its_own_words() -> None:
    verdict = check(a_clause(break_it), Engine, SERVICES)

    assert verdict.result is Result.BROKEN
    assert verdict.text == "expected: one row; got: 2 in place of 1"


def test_another_error_proves_nothing() -> None:
    verdict = check(a_clause(fail), Engine, SERVICES)

    assert (verdict.result, verdict.text) == (Result.FAILED, "LookupError: nobody is there")


def test_what_hangs_is_stopped_and_says_where_it_waited() -> None:
    verdict = check(a_clause(hang, limit=0.1), Engine, SERVICES)

    assert verdict.result is Result.TIMED_OUT
    assert "no end within 0.1 s" in verdict.text
    assert "in hang" in verdict.text


def test_what_services_can_not_do_is_not_run_and_names_who_can() -> None:
    verdict = check(a_clause(break_it, Capability.RESTART), Engine, SERVICES)

    assert verdict.result is Result.NOT_RUN
    assert "needs restart" in verdict.text
    assert "local" in verdict.text


@pytest.mark.parametrize(("listens", "result"), [(True, Result.BROKEN), (False, Result.KEPT)])
def test_only_a_clause_that_listens_is_broken_by_a_silent_failure(listens: bool, result: Result) -> None:
    verdict = check(a_clause(fail_in_silence, listens=listens), Engine, SERVICES)

    assert verdict.result is result
    assert "unclosed door" in verdict.seen


def test_promised_turns_any_error_into_a_broken_promise() -> None:
    with (
        pytest.raises(AssertionError, match=r"^expected: it works; got: LookupError: nobody$"),
        promised("it works"),
    ):
        raise LookupError("nobody\nand a second line")


def test_promised_leaves_a_broken_promise_as_it_is() -> None:
    with pytest.raises(AssertionError, match=r"^its own words$"), promised("it works"):
        raise AssertionError("its own words")


async def test_promised_lets_a_cancellation_through() -> None:
    with pytest.raises(asyncio.CancelledError), promised("it works"):
        raise asyncio.CancelledError


def test_expect_says_nothing_when_both_are_equal() -> None:
    expect("one row", found=1, to_be=1)


def test_a_clause_is_found_by_its_name_and_says_its_sentence() -> None:
    clause = find_clause("what_is_saved_is_on_the_server")

    assert clause.topic == "saving"
    assert clause.sentence == "what is saved is on the server"
    assert clause in clauses("saving")


def test_an_unknown_clause_is_refused() -> None:
    with pytest.raises(InvalidInput):
        find_clause("nobody_promised_this")


def test_everybody_new_has_an_email_of_their_own() -> None:
    assert len({new_user().email for _ in range(10)}) == 10


def test_an_engine_is_made_for_another_driver() -> None:
    services = Services("none", "mysql+asyncmy://u:p@h/d", "redis://127.0.0.1:1", {}, frozenset())

    assert new_engine(Engine, services, driver="aiomysql").url.drivername == "mysql+aiomysql"


async def test_another_loop_gives_its_result_back_and_is_closed() -> None:
    async def scene(word: str) -> tuple[str, asyncio.AbstractEventLoop]:
        return word, asyncio.get_running_loop()

    word, loop = await on_another_loop(scene, "done")

    assert word == "done"
    assert loop is not asyncio.get_running_loop()
    assert loop.is_closed()


async def test_an_error_on_another_loop_comes_out_here() -> None:
    async def scene() -> None:
        raise LookupError("over there")

    with pytest.raises(LookupError, match="over there"):
        await on_another_loop(scene)
