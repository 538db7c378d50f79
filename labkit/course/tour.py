"""The tour: the story in eight steps, what one expects beside what is seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from labkit.bugs import RegistryRebuilt
from labkit.course import story
from labkit.engine import Engine
from labkit.scene import Happening, Kind, Outcome, private_loop
from labkit.services import Capability, Services

__all__ = ["Step", "tell"]

GARBAGE = "garbage collector is trying to clean up"
LOOP_CLOSED = "RuntimeError: Event loop is closed"

# What SQLite tells otherwise, by step: it has no server, and aiosqlite ends a connection in its own thread.
WITHOUT_SERVER = {
    3: "MySQL's drivers also say RuntimeError: Event loop is closed. aiosqlite asks no loop to end a connection, "
    "so the same leak has a quieter symptom.",
    8: "SQLite has no server that could count its connections.",
}


@dataclass(frozen=True)
class Step:
    """
    One step of the story; `as_told` says whether everything was seen that the story tells.

    `differs` says what is told otherwise on these services than on MySQL.
    """

    number: int
    title: str
    expected: str
    seen: tuple[str, ...]
    as_told: bool
    differs: str = ""


def tell(services: Services) -> Iterator[Step]:
    """
    Play the story on `services` and yield its steps as they are seen.

    It plays scenes in threads of their own, so it can be told from a script and from a notebook's cell alike.
    """
    tour = _Tour(services)
    steps: tuple[Callable[[], tuple[str, str, tuple[str, ...], bool]], ...] = (
        tour.the_engine_is_built,
        tour.a_user_is_saved,
        tour.the_same_user_again,
        tour.a_write_is_lost,
        tour.what_the_pool_wrote,
        tour.who_is_my_session,
        tour.an_experiment,
        tour.the_cure,
    )
    for number, step in enumerate(steps, 1):
        yield Step(number, *step(), "" if tour.on_server else WITHOUT_SERVER.get(number, ""))


Told = tuple[str, str, tuple[str, ...], bool]


class _Tour:
    def __init__(self, services: Services) -> None:
        self._services = services
        self.on_server = Capability.SERVER in services.capabilities
        self._saved = self._play(story.save_once, RegistryRebuilt)
        self._again = self._play(story.save_twice, RegistryRebuilt, pool_log=True)

    def _play(self, scene: story.StoryScene, engine_class: type[Engine], *, pool_log: bool = False) -> Outcome:
        return private_loop(scene, engine_class, self._services, pool_log=pool_log)

    def the_engine_is_built(self) -> Told:
        saved = self._saved.get()
        return (
            "The engine is built",
            "nothing is opened by building it; open, it holds no connection",
            (saved.built,),
            "open, 0 connections out" in saved.built,
        )

    def a_user_is_saved(self) -> Told:
        saved = self._saved.get()
        seen = f"{_rows(saved.rows)}, {saved.checked_out} connections out of the pool"
        return "A user is saved", "1 row on the server, 0 connections out of the pool", (seen,), saved.rows == 1

    def the_same_user_again(self) -> Told:
        again = self._again
        seen = [f"raised to the caller: {_short(each)}" for each in again.of(Kind.EXCEPTION)]
        seen += [f"out of the {_way(each)}: {_short(each)}" for each in _after_the_loop(again)]
        told = isinstance(again.exception, IntegrityError) and self._is_the_error(again)
        return "The same user is saved again", "IntegrityError, and nothing else", tuple(seen), told

    def _is_the_error(self, outcome: Outcome) -> bool:
        return outcome.says(LOOP_CLOSED) == self.on_server and outcome.says(GARBAGE)

    def a_write_is_lost(self) -> Told:
        outcome = self._play(story.lose_a_write, RegistryRebuilt)
        rows = outcome.get()
        seen = f"{_rows(rows)}, and no exception"
        return (
            "A save inside a session block is a second access",
            "1 row on the server",
            (seen,),
            rows == 0 and not outcome.of(Kind.EXCEPTION),
        )

    def what_the_pool_wrote(self) -> Told:
        ledger = _ledger(self._again)
        seen = tuple(f"connection {n}: {out} times out, {back} times back" for n, (out, back) in ledger.items())
        lost = [n for n, (out, back) in ledger.items() if out > back]
        if lost:
            seen += (f"connection {lost[0]} was checked out and never came back",)
        return "The pool's own log", "every checkout has its checkin", seen, len(lost) == 1

    def who_is_my_session(self) -> Told:
        same = self._play(story.two_accesses, RegistryRebuilt).get()
        seen = "the same session" if same else "another session at each access"
        return "The session is asked for twice in one task", "the same session", (seen,), not same

    def an_experiment(self) -> Told:
        closed = self._play(story.experiment_close_all_sessions, RegistryRebuilt)
        helped = isinstance(closed.exception, IntegrityError) and not closed.silent_failures
        # Step 3 closed its engine too, which disposes of the pool, and the error came all the same.
        disposed = not self._again.silent_failures
        seen = (
            f"close_all_sessions(): the error is {'gone' if helped else 'still there'}",
            f"engine.dispose(), as step 3 did in closing: the error is {'gone' if disposed else 'still there'}",
        )
        title = "An experiment: close every session before the loop ends"
        return title, "if a session was left open, the error goes away", seen, helped and not disposed

    def the_cure(self) -> Told:
        outcome = self._play(story.save_twice, Engine)
        seen = [_short(each) for each in outcome.of(Kind.EXCEPTION)]
        told = isinstance(outcome.exception, IntegrityError) and not outcome.silent_failures
        seen.append("no connection is left to the garbage" if told else "something leaked")
        if Capability.PROCESSLIST in self._services.capabilities:
            held = self._play(story.count_connections, Engine).get()
            told = told and held == story.Held(0, 1, 0)
            seen.append(
                f"{held.checked_out} connections out of the pool; the server counts {held.on_server_open}"
                f" while the engine is open, {held.on_server_closed} after"
            )
        return "The cure: the registry is set up once", "IntegrityError, and nothing else", tuple(seen), told


def _rows(rows: int) -> str:
    return f"{rows} row{'' if rows == 1 else 's'} on the server"


def _short(happening: Happening) -> str:
    # The object's address says nothing to a reader, and differs every time.
    text = re.sub(r" object at 0x[0-9a-f]+", "", happening.headline)
    return f"{happening.source}: {text}" if happening.kind is Kind.EXCEPTION else text.split(", which will")[0]


def _way(happening: Happening) -> str:
    return "pool's log" if happening.kind is Kind.LOG else happening.source


def _after_the_loop(outcome: Outcome) -> list[Happening]:
    return [each for each in outcome.of(Kind.LOG, Kind.UNRAISABLE) if each.loop_closed and _is_trouble(each)]


def _is_trouble(happening: Happening) -> bool:
    return happening.says(LOOP_CLOSED) or happening.says(GARBAGE)


def _ledger(outcome: Outcome) -> dict[int, tuple[int, int]]:
    """Count, for each connection in the pool's log, how often it went out and came back."""
    numbers: dict[str, int] = {}
    ledger: dict[int, tuple[int, int]] = {}
    for happening in outcome.of(Kind.LOG):
        found = re.match(r"Connection (<.*>) (checked out from|being returned to) pool", happening.text)
        # What comes back after the loop was closed is the garbage collector's doing.
        if found and not happening.loop_closed:
            number = numbers.setdefault(found[1], len(numbers) + 1)
            out, back = ledger.get(number, (0, 0))
            gone = found[2] == "checked out from"
            ledger[number] = (out + gone, back + (not gone))
    return ledger
