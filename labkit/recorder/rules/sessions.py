"""Sessions: built anew at every access, left in their scope, shared by two tasks, or ended without a commit."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.model import Checkout, Factory, Incident, Kind, Pool, Session
from labkit.recorder.rules.draft import Draft, about, keys
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import at, on_loop, task_name

__all__ = ["lost_writes", "rebuilt_engines", "rebuilt_makers", "scopes", "shared"]

_WRONG = {
    Kind.COLLECTED,
    Kind.HELD_AT_END,
    Kind.HELD_AT_LOOP_END,
    Kind.HELD_AT_EXIT,
    Kind.LOST_WRITE,
    Kind.LEFT_IN_SCOPE,
}
_LEFT = _WRONG | {Kind.IDLE_AT_LOOP_END, Kind.DROPPED, Kind.IDLE_AT_EXIT}
_NAMES = {
    "registry": "registry of sessions (async_scoped_session)",
    "factory": "session factory",
    "engine": "engine",
}


def rebuilt_makers(record: Record) -> Iterator[Draft]:
    """registry-rebuilt: sessions that went wrong come from registries or factories built again at one line."""
    seen = set()
    for incident in record.incidents:
        session = incident.session or (incident.checkout.session if incident.checkout else None)
        maker = _rebuilt(session) if session is not None and incident.kind in _WRONG else None
        if session is None or maker is None or session.number in seen:
            continue
        seen.add(session.number)
        yield Draft(
            "registry-rebuilt",
            maker.place,
            f"a new {_NAMES[maker.kind]} is built {at(record, maker.place)} each time, {maker.built} of them "
            "so far: what a session of one began, a session of another can't finish",
            at=incident.at,
            task=session.task,
            connection=incident.checkout.connection if incident.checkout else None,
            touches=keys(session),
            reach=keys(session, *_checkouts_of(record, session)),
        )


def _rebuilt(session: Session) -> Factory | None:
    for maker in (session.registry, session.factory):
        if maker is not None and maker.built > 1:
            return maker
    return None


def _checkouts_of(record: Record, session: Session) -> list[Checkout]:
    return [checkout for checkout in record.checkouts if checkout.session is session]


def rebuilt_engines(record: Record) -> Iterator[Draft]:
    """registry-rebuilt: engines are built again at one line, and never disposed of."""
    seen = set()
    for incident in record.incidents:
        pool = incident.pool or (incident.connection.pool if incident.connection else None)
        maker = _rebuilt_engine(record, pool) if pool is not None and incident.kind in _LEFT else None
        if pool is None or maker is None or pool.number in seen:
            continue
        seen.add(pool.number)
        yield Draft(
            "registry-rebuilt",
            maker.place,
            f"a new engine is built {at(record, maker.place)} each time, {maker.built} of them so far, each with "
            "connections of its own, and not disposed of",
            at=incident.at,
            task=incident.task,
            connection=incident.connection,
            touches=keys(pool),
            reach=keys(pool, *_checkouts_on(record, pool)),
        )


def _rebuilt_engine(record: Record, pool: Pool) -> Factory | None:
    """Return the line that built an engine, when it built two or more that were not disposed of."""
    kept = [other for other in record.pools if other.maker is pool.maker and other.disposed is None]
    return pool.maker if pool.disposed is None and len(kept) > 1 else None


def _checkouts_on(record: Record, pool: Pool) -> list[Checkout]:
    return [checkout for checkout in record.checkouts if checkout.connection.pool is pool]


def scopes(record: Record) -> Iterator[Draft]:
    """scope-mismatch: a registry keeps sessions of tasks that have ended, or gives one to another task."""
    left = _about_sessions(record, Kind.LEFT_IN_SCOPE)
    tasks = {session.task.number for _, session in left}
    for incident, session in left:
        if len(tasks) > 1 or incident.text:
            yield _scope(record, incident, session, "ended, and the registry still holds its session")
    for incident, session in _about_sessions(record, Kind.REUSED_SCOPE):
        yield _scope(record, incident, session, "ended, and the registry gave its session to another task")


def _about_sessions(record: Record, kind: Kind) -> list[tuple[Incident, Session]]:
    return [(each, each.session) for each in record.incidents if each.kind == kind and each.session]


def _scope(record: Record, incident: Incident, session: Session, what: str) -> Draft:
    with_connection = ", and with it a connection" if incident.text else ""
    return Draft(
        "scope-mismatch",
        session.place,
        f"{task_name(session.task)} began a session {at(record, session.place)} and {what}{with_connection}",
        at=incident.at,
        task=session.task,
        touches=keys(session),
        reach=keys(session, *_checkouts_of(record, session)),
    )


def shared(record: Record) -> Iterator[Draft]:
    """session-shared: two tasks were inside one session at the same time."""
    for incident in record.incidents:
        session = incident.session
        if incident.kind != Kind.OVERLAPPED or session is None:
            continue
        first, _, second = incident.text.partition(" and ")
        yield Draft(
            "session-shared",
            incident.place,
            f"two tasks were inside one {session.kind} at the same time: {task_name(incident.other)} in `{first}` "
            f"{at(record, incident.other_place)}, and {task_name(incident.task)} in `{second}` "
            f"{at(record, incident.place)}",
            at=incident.at,
            task=incident.task,
            touches=keys(session),
            reach=keys(session, *_checkouts_of(record, session)),
            once=f"session {session.number}",
        )


def lost_writes(record: Record) -> Iterator[Draft]:
    """lost-write: a session sent rows and ended without a commit."""
    for incident in record.incidents:
        session = incident.session
        if incident.kind != Kind.LOST_WRITE or session is None:
            continue
        ends = {"collected": "was dropped", "with": "was left by its `async with`", "close": "was closed"}
        yield Draft(
            "lost-write",
            incident.place,
            f"a session wrote {at(record, incident.place)} in {task_name(session.task)}"
            f"{on_loop(session.task)}, "
            f"and {ends.get(session.end or '', 'ended')} without a commit: the rows are gone",
            at=incident.at,
            task=session.task,
            connection=incident.checkout.connection if incident.checkout else None,
            touches=keys(session).union(*map(about, _checkouts_of(record, session))),
        )
