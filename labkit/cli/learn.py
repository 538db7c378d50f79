"""`labkit learn`: the exercises, one after the other, judged whenever the learner saves."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.cli.exercises import Name
from labkit.cli.extra import lab_extra
from labkit.cli.options import ProviderName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console, RenderableType

    from labkit.course.exercises import Exercise
    from labkit.course.progress import ProgressFile
    from labkit.course.watching import State, Watch
    from labkit.services import Services

__all__ = ["following", "learn"]

KEYS = {"n": "next", "h": "hint", "l": "list", "r": "reset", "s": "solution", "q": "quit"}
AFTER = {
    "not attempted": "Open your file in an editor, fix it, and save it.",
    "passed": "Well done. s shows the author's fix and why it works, n goes on.",
}


def learn(name: Name = None, provider: ProviderName = None) -> None:
    """
    Fix one exercise after the other: your file is judged whenever you save it.

    Open the file that it names in your editor, and leave this running beside it. The keys are n next, h hint,
    l list, r reset, s solution and q quit; where the input is no terminal, they are read as lines. Ctrl-C leaves
    also in the middle of a check.

    Exit status: 0 when you leave, 2 if the servers can't start or there is no such exercise.

    **Examples**

    - `labkit learn`

    - `labkit learn ch04 --provider containers`
    """
    from rich.console import Console

    from labkit.course.exercises import WORK, find_exercise, load_exercises, next_exercise
    from labkit.course.lessons import find_checkout, find_home
    from labkit.course.progress import ProgressFile
    from labkit.services import services_in_thread

    with lab_extra():
        from labkit.course.watching import Watch, single_keys
    console = Console(highlight=False)
    troubles: list[str] = []
    progress = ProgressFile(find_home(), troubles.append)
    exercises, work = load_exercises(find_checkout()), find_home() / WORK
    chosen = find_exercise(exercises, name) if name else next_exercise(exercises, progress.read().passed())
    work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(single_keys(sys.stdin.fileno()))
        watch = stack.enter_context(Watch(work, sys.stdin.fileno()))
        with _busy(console, "starting the servers"):
            services = stack.enter_context(services_in_thread(provider))
        _Session(console, exercises, chosen, progress, troubles, work, services, watch).run()


def following(exercises: list[Exercise], current: Exercise, passed: set[str]) -> Exercise | None:
    """
    Return where `next` leads: to the next exercise that is not passed, or simply the next if this one is not.

    After the last one come those before it that are not passed; None if there are none.
    """
    at = [each.name for each in exercises].index(current.name)
    later, earlier = exercises[at + 1 :], exercises[:at]
    if later and current.name not in passed:
        return later[0]
    return next((each for each in (*later, *earlier) if each.name not in passed), None)


@contextmanager
def _busy(console: Console, words: str) -> Iterator[Callable[[str], None]]:
    """Say what is being done, and let more be said of it; on a terminal it vanishes when it is done."""
    if not console.is_interactive:
        console.print(f"{words} …")
        yield lambda more: None
        return
    with console.status(f"{words} …") as status:
        yield lambda more: status.update(f"{words}: {more} …")


class _Leave(Exception):
    """The learner wants to go, in the middle of a check."""


@dataclass
class _Session:
    """
    What is on the screen, and what the keys do.

    `troubles` are told with the next keys; `state` is that of the file when it was judged.
    """

    console: Console
    exercises: list[Exercise]
    exercise: Exercise
    progress: ProgressFile
    troubles: list[str]
    work: Path
    services: Services
    watch: Watch
    state: State = None

    def run(self) -> None:
        """Judge the file, and again after every save, until the learner leaves or the input ends."""
        with suppress(EOFError, _Leave):
            self._begin(self.exercise)
            while True:
                try:
                    key = self.watch.wait(self._file, self.state)
                finally:
                    self._erase_keys()
                if key is None:
                    self._look()
                else:
                    self._act(key)

    @property
    def _file(self) -> Path:
        return self.work / f"{self.exercise.name}.py"

    def _begin(self, exercise: Exercise, note: str = "") -> None:
        from labkit.course.exercises import own_file

        self.exercise = exercise
        own_file(exercise, self.work)
        self._check(note)

    def _look(self) -> None:
        """Judge what was saved; say so if the file is gone."""
        from labkit.course.watching import state_of

        self.state = state_of(self._file)
        if self.state is not None:
            self._check()
            return
        self._say(f"\n{self._file} is gone: save it again, or press r for a fresh one.", "yellow")
        self._show_keys()

    def _check(self, note: str = "") -> None:
        from labkit.course.examination import examine
        from labkit.course.views import examination_of
        from labkit.course.watching import state_of

        self.console.clear()
        if note:
            self._say(f"\n{note}", "yellow")
        self._say(f"\nyour file  {self._file}")
        # Before it is read: what is saved from now on is another state, and is judged once more.
        self.state = state_of(self._file)
        with _busy(self.console, "checking") as tell:
            found = examine(self.exercise, self._file, self.services, on_test=lambda test: self._test(test, tell))
        self.progress.change(lambda each: each.keep(found))
        self.console.print()
        self.console.print(examination_of(self.exercise, found))
        if after := AFTER.get(found.verdict):
            self._say(f"\n{after}")
        self._show_keys()

    def _test(self, test: str, tell: Callable[[str], None]) -> None:
        from labkit.course.examiner import sentence

        if self.watch.is_next("q"):
            raise _Leave
        if test:  # the first is no test: the file is imported
            tell(sentence(test))

    def _act(self, key: str) -> None:
        from rich.text import Text

        from labkit.course.views import list_of, solution_of

        match key.lower():
            case "q" | "quit":
                raise _Leave
            case "n" | "next":
                self._next()
            case "r" | "reset":
                self._reset()
            case "h" | "hint":
                self._show(Text(self.progress.next_hint(self.exercise)))
            case "l" | "list":
                self._show(list_of(self.exercises, self.progress.read()))
            case "s" | "solution":
                self.progress.change(lambda each: each.see_solution(self.exercise.name))
                self._show(solution_of(self.exercise))
            case _:
                what = f"{key!r}" if key and key.isprintable() else "That"
                self._show(Text(f"{what} is no key here.", "yellow"))

    def _next(self) -> None:
        from rich.text import Text

        passed = self.progress.read().passed()
        there, name = following(self.exercises, self.exercise, passed), self.exercise.name
        if there is not None:
            note = f"{name} is not passed yet. You may go on all the same: `labkit learn {name}` leads back."
            self._begin(there, "" if name in passed else note)
            return
        every = f"All is passed: {len(self.exercises)} of {len(self.exercises)}."
        self._show(Text(every if name in passed else f"{name} is the last one that is not passed."))

    def _reset(self) -> None:
        from labkit.course.exercises import reset

        kept = reset(self.exercise, self.work)
        told = f"; what you had is {kept.name}" if kept else ""
        self._check(f"{self.exercise.name} is as it was at the beginning{told}.")

    def _show(self, what: RenderableType) -> None:
        self.console.print()
        self.console.print(what, crop=False)
        self._show_keys()

    def _say(self, words: str, style: str = "") -> None:
        from rich.text import Text

        self.console.print(Text(words, style), soft_wrap=True)

    def _show_keys(self) -> None:
        from rich.text import Text

        while self.troubles:
            self._say(f"\n{self.troubles.pop(0)}", "yellow")
        line = Text("\n")
        for key, word in KEYS.items():
            line.append(key, "bold").append(f" {word}   ", "dim")
        self.console.print(line, end="" if self.console.is_interactive else "\n")

    def _erase_keys(self) -> None:
        from rich.control import Control
        from rich.segment import ControlType

        line = ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)
        self.console.control(Control(*line))
