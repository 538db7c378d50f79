"""Play: a clause whose tasks go on only when the learner says so, on the real driver."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any
from weakref import WeakKeyDictionary

from labkit.bugs import Bug
from labkit.contract import Clause, Sequencer, Verdict, check, find_clause, sequencers
from labkit.course.board import Board, Position, Task, asks_a_server, name_of, stands, take_board
from labkit.engine import Engine
from labkit.errors import InvalidInput
from labkit.recorder import FlightRecorder
from labkit.services import Services

__all__ = ["Leave", "PlayedByHand", "play_by_hand", "playable"]

THINKING = 3600.0  # seconds that a learner may take for the whole of it
BEAT = 0.05  # seconds in which a task that can go on does
ANSWER = 1.0  # seconds for a server to answer; who waits longer waits for a lock there, or for a message
GRACE = 3.0  # seconds for a clause that is left to give back what it holds


class Leave(Exception):
    """The learner has had enough."""


@dataclass(frozen=True)
class PlayedByHand:
    """What came of it: the points in the order in which they were passed, and the clause's verdict."""

    passed: tuple[str, ...]
    verdict: Verdict


Choose = Callable[[Board], str]


def playable(bug: Bug) -> list[Clause]:
    """Return the clauses that a bug breaks and that have points to choose from."""
    return [clause for clause in map(find_clause, bug.breaks) if clause.ordered]


def play_by_hand(clause: Clause, engine_class: type[Engine], services: Services, choose: Choose) -> PlayedByHand:
    """
    Play a clause; whenever its tasks can't go on by themselves, `choose(board)` says which point is passed next.

    It is called in this thread, and may take its time: the clause goes on in another one. When it raises, `Leave`
    for example, the clause is cancelled, what it held is given back, and the error goes on. Raises `InvalidInput`
    for a choice that no task waits for, or a clause without points.
    """
    if not clause.ordered:
        raise InvalidInput(f"{clause.name} has no points to choose from.", remedy="Play it with `check`.")
    table = _Table()
    thread = threading.Thread(target=table.play, args=(clause, engine_class, services), daemon=True)
    thread.start()
    try:
        while (question := table.questions.get()) is not None:
            board, answer = question
            point = _checked(choose(board), board)
            with suppress(InvalidStateError):  # the clause has ended meanwhile, and the answer is not awaited
                answer.set_result(point)
    except BaseException:
        table.leave()
        thread.join(GRACE)
        raise
    thread.join()
    return PlayedByHand(tuple(table.passed), table.outcome.result())


def _checked(point: str, board: Board) -> str:
    if point not in board.points:
        raise InvalidInput(f"No task waits at {point!r}.", remedy=f"Choose one of: {', '.join(board.points)}.")
    return point


@dataclass
class _Table:
    """Where the tasks of a clause and the learner meet: questions go out, one at a time, and answers come in."""

    questions: SimpleQueue[tuple[Board, Future[str]] | None] = field(default_factory=SimpleQueue)
    outcome: Future[Verdict] = field(default_factory=Future)
    passed: list[str] = field(default_factory=list)
    engines: list[Engine] = field(default_factory=list)
    flight: FlightRecorder = field(default_factory=FlightRecorder)
    main: Task | None = None
    sequencers: list[_Choices] = field(default_factory=list)
    letters: WeakKeyDictionary[Any, str] = field(default_factory=WeakKeyDictionary)

    def play(self, clause: Clause, engine_class: type[Engine], services: Services) -> None:
        try:
            with self.flight:
                by_hand = replace(clause, play=self._played(clause), limit=THINKING)
                self.outcome.set_result(check(by_hand, self._watched(engine_class), services))
        except BaseException as error:
            self.outcome.set_exception(error)
        finally:
            self.questions.put(None)

    def _played(self, clause: Clause) -> Any:
        async def play(engine_class: type[Engine], services: Services) -> None:
            self.main = asyncio.current_task()
            sequencers.set(self._sequencer)
            await clause.play(engine_class, services)

        return play

    def _sequencer(self, *order: str) -> _Choices:
        self.sequencers.append(made := _Choices(self, *order))
        return made

    def _watched(self, engine_class: type[Engine]) -> type[Engine]:
        engines = self.engines

        class Watched(engine_class):  # type: ignore[misc, valid-type]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                engines.append(self)

        return Watched

    def leave(self) -> None:
        """Cancel the clause, from any thread."""
        if self.main is not None and not (loop := self.main.get_loop()).is_closed():
            loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        assert self.main is not None
        self.main.cancel()
        # Who waits where no cancellation comes, in a commit, has to be let go.
        for each in self.sequencers:
            each.give_up()

    def board(self, order: tuple[str, ...], waiting: dict[str, Task]) -> Board:
        """Return what there is to be seen now."""
        return take_board(order, waiting, self.tasks(), self.engines, self.flight, self._letter)

    def _letter(self, session: Any) -> str:
        return self.letters.setdefault(session, chr(ord("A") + len(self.letters)))

    def tasks(self) -> list[Task]:
        """Return the tasks that have not ended, but for the one that started them."""
        return sorted((task for task in asyncio.all_tasks() if task is not self.main), key=name_of)


class _Choices(Sequencer):
    """A sequencer that passes its points in the order in which they are chosen."""

    def __init__(self, table: _Table, *order: str) -> None:
        super().__init__(*order)
        self._table = table
        self._waiting: dict[str, Task] = {}
        self._asking = asyncio.Lock()
        self._unanswered: dict[Task, Position] = {}
        self._answer: Future[str] | None = None

    async def reach(self, point: str) -> None:
        """Wait until this point is chosen; the first that waits asks for all."""
        task = asyncio.current_task()
        assert task is not None
        self._waiting[point] = task
        try:
            while not self.has_passed(point):
                async with self._asking:
                    if not self.has_passed(point):
                        await self._settled()
                        self._choose(await self._ask())
        finally:
            self._waiting.pop(point, None)

    def give_up(self) -> None:
        """Let everybody go on, who has asked the learner too."""
        super().give_up()
        if self._answer is not None:
            with suppress(InvalidStateError):
                self._answer.set_result("")

    def _choose(self, point: str) -> None:
        if point:
            self._table.passed.append(point)
            self._waiting.pop(point)
            self._passed[point].set()

    async def _ask(self) -> str:
        self._answer = Future()
        self._table.questions.put((self._table.board(self.order, self._waiting), self._answer))
        return await asyncio.wrap_future(self._answer)

    async def _settled(self) -> None:
        """Wait until no task gets any further: each is at a point, or waits for what another one has."""
        loop = asyncio.get_running_loop()
        seen: dict[Task, Position] | None = None
        while True:
            now = {task: stands(task) for task in self._table.tasks()}
            asked = {task: position for task, position in now.items() if asks_a_server(position)}
            if now != seen:
                seen, until = now, loop.time() + ANSWER
            elif asked.items() <= self._unanswered.items() or loop.time() > until:
                self._unanswered = asked
                return
            await asyncio.sleep(BEAT)
