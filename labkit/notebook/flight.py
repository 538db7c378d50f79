"""The flight recorder in a notebook: `%flight`, and a line under each cell that leaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from labkit.recorder import Finding, FlightRecorder, Record
    from labkit.recorder.by_owner import FindingsByOwner, OwnerFindings

__all__ = ["Flight", "Report", "flight_of"]

_flights: WeakKeyDictionary[Any, Flight] = WeakKeyDictionary()


def flight_of(shell: Any) -> Flight:
    """Return the flight of a shell; it has one, however often the extension is loaded."""
    if shell not in _flights:
        _flights[shell] = Flight(shell)
    return _flights[shell]


class Report:
    """Shows findings as text, or in a notebook as HTML."""

    def __init__(self, record: Record, findings: list[Finding]) -> None:
        self.record = record
        self.findings = findings

    def __repr__(self) -> str:
        from labkit.recorder.report import report_text

        return report_text(self.record, self.findings)

    def _repr_html_(self) -> str:
        from labkit.recorder.report import html

        return html(self.record, self.findings)


class Flight:
    """
    What `%flight` does. Until `on` nothing is imported and nothing listens; after `off` nothing listens any more.

    A cell leaks when a connection that it took is out at its end, unless a task that goes on holds it; or when one
    is collected, whichever cell runs then.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._recorder: FlightRecorder | None = None
        self._accounts: FindingsByOwner | None = None  # while it records
        self._runs = 0
        self._cells: dict[str, str] = {}  # what each run was: `cell [5]`
        self._actions: dict[str, Callable[[], Any]] = {
            "on": self.on,
            "off": self.off,
            "report": self.report,
            "timeline": self.timeline,
            "table": self.table,
            "holders": self.holders,
            "clear": self.clear,
        }

    def magic(self, line: str) -> Any:
        """
        Say who holds a connection, on which loop, for which task.

        %flight             whether it records, and how much it has seen
        %flight on, off     begin a new record, or end it; the record stays
        %flight report      what is wrong, and what to do
        %flight timeline    a lane for each connection, a bar for each time a task held it
        %flight table       one row for each time
        %flight holders     who holds a connection at this moment
        %flight clear       forget the record
        %flight json FILE   write the record into a file
        """
        word, _, rest = line.strip().partition(" ")
        if word == "json" and rest.strip():
            return self.json(rest.strip().strip("'\""))
        if word and (word not in self._actions or rest):
            raise UsageError(f"%flight knows {', '.join(self._actions)} and json FILE, not {line.strip()!r}.")
        return self._actions[word]() if word else self.state()

    # Recording.

    def on(self) -> None:
        """Begin a new record, unless it records."""
        from labkit.recorder import FlightRecorder, attribution
        from labkit.recorder.by_owner import FindingsByOwner

        if self._accounts is None:
            self._recorder = FlightRecorder().start()
            self._accounts = FindingsByOwner(self._recorder)
            attribution.begin()
            self._shell.events.register("pre_run_cell", self._before)
            self._shell.events.register("post_run_cell", self._after)
            self._before()
        self.state()

    def off(self) -> None:
        """End the record, if it records; what was recorded stays."""
        from labkit.recorder import attribution

        if self._accounts is not None and self._recorder is not None:
            self._shell.events.unregister("pre_run_cell", self._before)
            self._shell.events.unregister("post_run_cell", self._after)
            attribution.end()
            self._recorder.stop()
            self._accounts = None

    def clear(self) -> None:
        """Forget the record, and begin a new one if it records."""
        recording = self._accounts is not None
        self.off()
        self._recorder = None
        if recording:
            self.on()

    def _before(self, info: Any = None) -> None:
        from labkit.recorder import attribution

        self._runs += 1
        attribution.run(self._run)

    def _after(self, result: Any = None) -> None:
        from labkit.recorder import attribution

        attribution.run(None)
        self._cells[self._run] = f"cell [{getattr(result, 'execution_count', None) or ' '}]"
        if self._accounts is not None:
            ended = self._accounts.close(self._run, "the cell", but=self._accounts.is_in_use)
            told = [account for account in (ended, *self._accounts.rest()) if account is not None]
            leaks = [words for account in told for words in self._leaks(account)]
            if leaks:
                more = f", and {len(leaks) - 1} more" if len(leaks) > 1 else ""
                print(f"labkit: {leaks[0]}{more}; %flight report says more")

    @property
    def _run(self) -> str:
        """Stands for the cell that runs: whether the shell has its number already differs between versions."""
        return f"run {self._runs}"

    def _leaks(self, account: OwnerFindings) -> list[str]:
        from labkit.notebook.cells import name_cells, words
        from labkit.recorder.wording import connection_name

        record = name_cells(account.record, self._shell, self._cells)
        return [
            f"{connection_name(checkout.connection)}, checked out {words(record.where(checkout.place))}, "
            + ("is still out" if checkout.until is None else "was never given back")
            for checkout in account.unreturned()
        ]

    # Reading.

    def state(self) -> None:
        """Print whether it records, and what it has seen so far."""
        if self._recorder is None:
            print("labkit: not recording; %flight on begins")
            return
        counts, findings = self._recorder.statistics(), len(self._recorder.findings())
        state = "recording" if self._accounts is not None else "not recording any more"
        print(f"labkit: {state}; {counts.checkouts} checkouts, {counts.out} out, {findings} findings")

    def report(self) -> Report:
        """Return what is wrong, and what to do."""
        from labkit.recorder import find

        record = self._record()
        return Report(record, find(record))

    def timeline(self) -> Any:
        """Return the picture."""
        from labkit.recorder.report import timeline

        return timeline(self._record())

    def table(self) -> Any:
        """Return one row for each checkout."""
        from labkit.recorder.report import table

        return table(self._record())

    def holders(self) -> None:
        """Print who holds a connection at this moment."""
        from labkit.recorder.report.summary import held

        print("\n".join(held(self._record())) or "labkit: nobody holds a connection")

    def json(self, file: str) -> None:
        """Write the record into a file."""
        from labkit.recorder import json_format

        text = json_format.dump(self._record())
        try:
            Path(file).expanduser().write_text(text, encoding="utf-8")
        except OSError as fault:
            raise UsageError(f"the record can't be written to {file}: {fault.strerror}.") from None
        print(f"labkit: the record is in {file}")

    def _record(self) -> Record:
        from labkit.notebook.cells import name_cells

        if self._recorder is None:
            raise UsageError("nothing was recorded yet; %flight on begins.")
        return name_cells(self._recorder.record(), self._shell, self._cells)
