"""Trials: a broken engine beside the correct one, what was seen beside what the catalogue promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec

from sqlalchemy import make_url

from labkit.bugs import Bug
from labkit.contract import Clause, Result, Verdict, check, find_clause
from labkit.engine import Engine
from labkit.errors import InvalidInput
from labkit.services import Capability, Services, provider_names, providers_with

__all__ = ["Comparison", "Played", "Trial", "driver_of", "drivers_of", "try_bug", "with_driver"]

DRIVERS = "asyncmy", "aiomysql"  # for MySQL and MariaDB


@dataclass(frozen=True)
class Played:
    """One clause on one engine, played `of` times; `promised` is what should come of it."""

    clause: str
    promised: Result
    verdicts: tuple[Verdict, ...]

    @property
    def of(self) -> int:
        """Count how often it was played."""
        return len(self.verdicts)

    @property
    def times(self) -> int:
        """Count how often that came of it which was promised."""
        return sum(verdict.result is self.promised for verdict in self.verdicts)

    @property
    def verdict(self) -> Verdict:
        """Return the first verdict that was not promised, or else the first one."""
        return next((each for each in self.verdicts if each.result is not self.promised), self.verdicts[0])


@dataclass(frozen=True)
class Comparison:
    """One promise of the catalogue: in `times` of `of` rounds what was seen was what is promised."""

    what: str
    promised: tuple[str, ...]
    seen: tuple[str, ...]  # in any round
    times: int
    of: int

    @property
    def holds(self) -> bool:
        """Return True if it was so in every round."""
        return self.times == self.of


@dataclass(frozen=True)
class Trial:
    """
    All that was seen of one bug on some services.

    Each clause that it declares was played on the broken and on the correct engine, once in every round; what these
    services can't play is in `left_out`. `not_run` says why nothing was played: that is never a success.
    """

    bug: str
    provider: str
    driver: str
    rounds: int
    broken: tuple[Played, ...] = ()
    correct: tuple[Played, ...] = ()
    findings: Comparison | None = None
    findings_of_correct: Comparison | None = None
    texts: Comparison | None = None
    texts_of_correct: Comparison | None = None
    left_out: tuple[str, ...] = ()
    not_run: str = ""

    @property
    def as_promised(self) -> bool:
        """Return True if it was played, and everything was seen as promised, every time."""
        if self.not_run or not self.broken:
            return False
        compared = filter(None, (self.findings, self.findings_of_correct, self.texts, self.texts_of_correct))
        clauses = all(each.times == each.of for each in (*self.broken, *self.correct))
        return clauses and all(each.holds for each in compared)


def driver_of(services: Services) -> str:
    """Return the name of the database driver in use."""
    return make_url(services.database_url).get_driver_name()


def drivers_of(services: Services) -> tuple[str, ...]:
    """Return the names of the drivers that can speak to a database."""
    return ("aiosqlite",) if make_url(services.database_url).get_backend_name() == "sqlite" else DRIVERS


def with_driver(services: Services, driver: str) -> Services:
    """Return the same services for another driver; raises `InvalidInput` for one that can't speak to them."""
    if driver not in drivers_of(services):
        raise InvalidInput(
            f"The driver {driver!r} can't speak to the provider {services.provider!r}.",
            remedy=f"Use {' or '.join(drivers_of(services))}, or another provider.",
        )
    if find_spec(driver) is None:
        raise InvalidInput(f"The driver {driver!r} is not installed.", remedy=f"pip install {driver}")
    url = make_url(services.database_url)
    chosen = url.set(drivername=f"{url.get_backend_name()}+{driver}")
    return replace(services, database_url=chosen.render_as_string(hide_password=False))


def try_bug(
    bug: Bug, services: Services, repeat: int = 1, on_play: Callable[[int, str], None] = lambda number, clause: None
) -> Trial:
    """
    Play the clauses that a bug declares on its engine and on the correct one, `repeat` times, and compare.

    `on_play` is told the number of the round and the clause before each is played. What the catalogue promises and
    is not so is no error here: the trial says it. Raises `InvalidInput` for less than one round, or a clause that
    there isn't.
    """
    if repeat < 1:
        raise InvalidInput(f"A bug is played at least once, got {repeat} times.", remedy="Give 1 or more.")
    empty = Trial(bug.name, services.provider, driver_of(services), repeat)
    clauses = [find_clause(name) for name in bug.breaks]
    playable = [clause for clause in clauses if _lacking(clause.needs, services) == []]
    if lacking := _lacking(bug.needs, services) or ([] if playable else _lacking(clauses[0].needs, services)):
        return replace(empty, not_run=_who_can(lacking))
    broken: list[list[Verdict]] = []
    correct: list[list[Verdict]] = []
    for number in range(1, repeat + 1):
        correct.append(_play(playable, Engine, services, partial(on_play, number)))
        broken.append(_play(playable, bug.engine_class, services, partial(on_play, number)))
    if missing := [each.text for each in broken[0] if each.result is Result.NOT_RUN]:  # by this system
        return replace(empty, not_run=missing[0])
    return replace(
        empty,
        broken=_by_clause(playable, Result.BROKEN, broken),
        correct=_by_clause(playable, Result.KEPT, correct),
        findings=_findings("the recorder's findings", [bug.finding] if bug.finding else [], broken),
        findings_of_correct=_findings("the recorder's findings on the correct engine", [], correct),
        texts=_texts("the texts", bug.texts.of(empty.driver), broken),
        texts_of_correct=_texts("the texts of the correct engine", (), correct),
        left_out=tuple(clause.name for clause in clauses if clause not in playable),
    )


def _lacking(needs: Iterable[Capability], services: Services) -> list[Capability]:
    return sorted(need for need in needs if need not in services.capabilities)


def _who_can(lacking: list[Capability]) -> str:
    able = [name for name in provider_names() if all(name in providers_with(need) for need in lacking)]
    return f"needs {', '.join(lacking)}: {', '.join(able) or 'nobody'} can"


def _play(
    clauses: list[Clause], engine_class: type[Engine], services: Services, on_play: Callable[[str], None]
) -> list[Verdict]:
    verdicts = []
    for clause in clauses:
        on_play(clause.name)
        verdicts.append(check(clause, engine_class, services))
    return verdicts


def _by_clause(clauses: list[Clause], promised: Result, rounds: list[list[Verdict]]) -> tuple[Played, ...]:
    return tuple(
        Played(clause.name, promised, verdicts)
        for clause, verdicts in zip(clauses, zip(*rounds, strict=True), strict=True)
    )


def _findings(what: str, promised: list[str], rounds: list[list[Verdict]]) -> Comparison:
    # No clause need show the finding by itself: the union of those that a bug breaks is what is declared.
    seen = [{code for verdict in verdicts for code in verdict.findings} for verdicts in rounds]
    times = sum(codes == set(promised) for codes in seen)
    return Comparison(what, tuple(promised), tuple(sorted(set().union(*seen))), times, len(rounds))


def _texts(what: str, promised: tuple[str, ...], rounds: list[list[Verdict]]) -> Comparison:
    if not promised:
        return _silence(what, rounds)
    told = [[text for verdict in verdicts for text in (*verdict.seen, verdict.text)] for verdicts in rounds]
    times = sum(all(_is_said(part, texts) for part in promised) for texts in told)
    seen = tuple(part for part in promised if any(_is_said(part, texts) for texts in told))
    return Comparison(what, promised, seen, times, len(rounds))


def _silence(what: str, rounds: list[list[Verdict]]) -> Comparison:
    # What a clause itself says of a promise that is broken a person would not have seen.
    told = [[text for each in verdicts for text in each.seen if text != each.text] for verdicts in rounds]
    seen = dict.fromkeys(text for texts in told for text in texts)
    return Comparison(what, (), tuple(seen), told.count([]), len(rounds))


def _is_said(part: str, texts: list[str]) -> bool:
    return any(part in text for text in texts)
