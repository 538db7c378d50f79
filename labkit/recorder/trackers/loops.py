"""What is known of event loops: when they end, and who still holds something when they do."""

from __future__ import annotations

from typing import Any

from labkit.recorder.ledger import Ledger
from labkit.recorder.model import Checkout, Connection, Kind, Loop
from labkit.recorder.stacks import NOWHERE
from labkit.recorder.trackers.sessions import SessionTracker

__all__ = ["LoopTracker"]


class LoopTracker:
    """Judges what a loop leaves behind, at the moment after which nothing can give it back."""

    def __init__(self, ledger: Ledger, sessions: SessionTracker) -> None:
        self._ledger = ledger
        self._sessions = sessions

    def ending(self, tasks: list[Any]) -> None:
        """The runner is about to cancel these tasks, which were not awaited."""
        for task in tasks:
            entry = self._ledger.entry_of(task)
            for checkout in self._held_by(entry) if entry is not None else ():
                place = self._ledger.places.capture_suspended(task.get_coro())
                self._ledger.incident(
                    Kind.LOST_TASK,
                    checkout.place,
                    task=entry,
                    checkout=checkout,
                    connection=checkout.connection,
                    session=checkout.session,
                    other_place=place,
                )

    def _held_by(self, task: Any) -> list[Checkout]:
        return [checkout for checkout in list(self._ledger.out.values()) if checkout.task is task]

    def destroyed(self, task: Any) -> None:
        """A task was collected before it was done."""
        self.ending([task])

    def left_in_scope(self, session: Any, with_connection: bool) -> None:
        """A registry still holds the session of a task that has ended."""
        if not self._sessions.wants(session):
            return
        entry = self._sessions.entry(session)
        text = "with its connection" if with_connection else ""
        self._ledger.incident(Kind.LEFT_IN_SCOPE, entry.place, session=entry, text=text)

    def dropped_generator(self, generator: Any, held: list[Any]) -> None:
        """An async generator was dropped, or outlived its loop, while these were open in it."""
        frame = generator.ag_frame
        place = self._ledger.here(frame) if frame is not None else NOWHERE
        for subject in filter(self._sessions.wants, held):
            name = generator.__qualname__.replace("<locals>.", "")
            session = self._sessions.entry(subject)
            self._ledger.incident(Kind.ABANDONED_GENERATOR, place, session=session, text=name)

    def timed_out(self, task: Any) -> None:
        """A time-out cancels what a task is doing."""
        entry = self._ledger.entry_of(task)
        if entry is None or entry.number in self._ledger.waiting:
            return  # the pool's own time-out, which takes nothing away
        for checkout in self._held_by(entry):
            if self._ledger.places.is_inside(checkout.place, task.get_coro()):
                checkout.interrupted = self._ledger.now()

    def closing(self, loop: Any) -> None:
        """A loop is about to close: whatever belongs to it and is still open stays so."""
        entry = self._ledger.loop(loop)
        if entry.closed is not None:
            return
        entry.closed = self._ledger.now()
        self._ledger.mark("loop closes", loop=entry)
        self.judge(entry, Kind.HELD_AT_LOOP_END, Kind.IDLE_AT_LOOP_END)

    def judge(self, loop: Loop | None, held: Kind, idle: Kind) -> None:
        """Write down what is held, and what is idle, on one loop; on all that are open when it is None."""
        out = [checkout for checkout in list(self._ledger.out.values()) if _is_on(checkout, loop)]
        for checkout in out:
            self._sessions.lost(checkout)
            self._ledger.incident(
                held, checkout.place, task=checkout.task, checkout=checkout, connection=checkout.connection
            )
        busy = {checkout.connection.number for checkout in list(self._ledger.out.values())}
        for connection in list(self._ledger.connections.values()):
            if connection.number not in busy and _belongs(connection, loop, self._ledger.pid):
                self._ledger.connections.pop(connection.number, None)
                self._ledger.incident(
                    idle, connection.pool.place, task=None, connection=connection, pool=connection.pool
                )


def _is_on(checkout: Checkout, loop: Loop | None) -> bool:
    if loop is not None:
        return loop in (checkout.task.loop, checkout.connection.task.loop)
    return not (checkout.task.loop and checkout.task.loop.closed is not None)


def _belongs(connection: Connection, loop: Loop | None, pid: int) -> bool:
    """Return True if a connection belongs to this loop; when None is given, to any loop that has not closed."""
    born = connection.task.loop
    if born is None or connection.pid != pid:
        return False
    return born is loop if loop is not None else born.closed is None
