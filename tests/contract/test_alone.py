"""A clause in its own process: it may die, hang, be unable to end, and what it forks is heard too."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.contract import Clause, Result, Verdict, find_clause
from labkit.contract import alone as module
from labkit.contract.alone import add_findings, check_alone
from labkit.engine import Engine
from labkit.errors import InvalidInput
from labkit.recorder import Finding
from labkit.services import Services

NOWHERE = Services("none", "sqlite+aiosqlite:///none.db", "", {}, frozenset())


async def keep(engine_class: type[Engine], services: Services) -> None:
    print(f"process {os.getpid()}")


async def say_where(engine_class: type[Engine], services: Services) -> None:
    raise AssertionError(f"process {os.getpid()}, {engine_class.__name__}, {services.provider}")


async def die(engine_class: type[Engine], services: Services) -> None:
    os._exit(3)


async def hang(engine_class: type[Engine], services: Services) -> None:
    time.sleep(600)


async def never_end(engine_class: type[Engine], services: Services) -> None:
    threading.Thread(target=time.sleep, args=(600,), name="for ever", daemon=False).start()


async def end_soon(engine_class: type[Engine], services: Services) -> None:
    threading.Thread(target=time.sleep, args=(0.05,), daemon=False).start()


async def tell_of_a_child(engine_class: type[Engine], services: Services) -> None:
    add_findings([Finding("pool-crossed-fork", "", None), Finding("pool-crossed-fork", "", None)])


def play(scene: Callable[..., Any], *, ends: bool = False, limit: float = 10.0) -> Verdict:
    clause = Clause(scene.__name__, "test", scene, frozenset(), False, True, ends, False, limit)
    return check_alone(clause, Engine, NOWHERE)


def test_a_promise_that_is_kept_is_kept_there_too() -> None:
    assert play(keep, ends=True).result is Result.KEPT


def test_a_broken_promise_comes_back_with_its_text_from_another_process() -> None:
    verdict = play(say_where)

    assert verdict.result is Result.BROKEN
    assert verdict.text.endswith(", Engine, none")
    assert not verdict.text.startswith(f"process {os.getpid()},")


def test_a_process_that_dies_proves_nothing() -> None:
    verdict = play(die)

    assert (verdict.result, verdict.text) == (Result.FAILED, "its process ended with status 3")


UNGUARDED = """
from labkit.contract import check, find_clause
from labkit.engine import Engine
from labkit.services import ALL_CAPABILITIES, Services

services = Services("nowhere", "mysql+asyncmy://u@localhost:1/d", "redis://localhost:1", {}, ALL_CAPABILITIES)
print(check(find_clause("a_loop_that_has_run_is_closed"), Engine, services).text)
"""


def test_a_script_without_a_guard_is_told_what_it_needs(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True)

    assert 'needs `if __name__ == "__main__":`' in finished.stdout


def test_a_loop_that_is_blocked_is_stopped_in_time() -> None:
    verdict = play(hang, limit=0.1)

    assert verdict.result is Result.TIMED_OUT
    assert "blocks its event loop" in verdict.text


@pytest.mark.learner_path
def test_a_process_that_does_not_answer_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START", 0.0)
    verdict = play(hang)

    assert verdict.result is Result.TIMED_OUT
    number = int(verdict.text.removeprefix("process ").removesuffix(" did not answer"))
    assert not psutil.pid_exists(number)


def test_a_process_that_can_not_end_breaks_the_promise_of_a_clause_about_its_end() -> None:
    verdict = play(never_end, ends=True)

    assert verdict.result is Result.BROKEN
    assert verdict.text == "expected: the process ends; got: it goes on, in the thread for ever"


def test_a_thread_that_is_about_to_end_breaks_nothing() -> None:
    assert play(end_soon, ends=True).result is Result.KEPT


def test_nobody_waits_for_the_end_of_a_process_that_was_not_promised_to_end() -> None:
    assert play(never_end).result is Result.KEPT


def test_a_class_that_a_child_can_not_import_is_refused() -> None:
    class Own(Engine):
        pass

    with pytest.raises(InvalidInput, match="Own can't be sent to a child process"):
        check_alone(find_clause("a_loop_that_has_run_is_closed"), Own, NOWHERE)


def test_what_was_found_in_a_forked_child_is_in_the_verdict_once() -> None:
    assert play(tell_of_a_child).findings == ("pool-crossed-fork",)


@pytest.mark.learner_path
def test_where_nothing_can_be_forked_a_clause_about_forks_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork", raising=False)
    clause = find_clause("a_forked_child_is_refused_and_its_parent_goes_on")

    assert check_alone(clause, Engine, NOWHERE).result is Result.NOT_RUN
