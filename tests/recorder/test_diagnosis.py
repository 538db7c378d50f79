"""A diagnosis ends as the program did; one that ended well, by whether anything was found."""

from __future__ import annotations

import pytest

from labkit.recorder.process.diagnosis import Diagnosis, Process
from labkit.recorder.process.handoff import ProcessReport

from .records import clean, story


def diagnosis(*, leaks: bool, returncode: int = 0, stopped: str | None = None) -> Diagnosis:
    record = story()[0] if leaks else clean()
    process = Process(ProcessReport(record.pid, "exit", ["app.py"], record=record))
    return Diagnosis(["app.py"], returncode, 0.1, [process], stopped)


@pytest.mark.parametrize(
    ("leaks", "returncode", "stopped", "status"),
    [
        (False, 0, None, 0),
        (True, 0, None, 1),
        (False, 3, None, 3),
        (True, 3, None, 3),
        (True, -15, None, 143),
        (False, 0, "timeout", 1),
        (False, -9, "timeout", 1),
        (False, 0, "interrupted", 130),
    ],
)
def test_its_status_is_the_programs_or_tells_of_findings(
    leaks: bool, returncode: int, stopped: str | None, status: int
) -> None:
    assert diagnosis(leaks=leaks, returncode=returncode, stopped=stopped).status == status


def test_a_process_has_the_findings_of_its_record() -> None:
    [process] = diagnosis(leaks=True).processes

    assert [finding.code for finding in process.findings] == ["leaked-connection"]
    assert diagnosis(leaks=False).findings == []
