"""What is known about a finding: labelled lines, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.recorder.finding import CODES, Finding
from labkit.recorder.model import Task
from labkit.recorder.sanitize import plain
from labkit.recorder.snapshot import Record
from labkit.recorder.wording import connection_name, duration, task_name, waits_at

__all__ = ["facts"]

EVIDENCE = 12  # lines of evidence shown for a finding


def facts(record: Record, finding: Finding, cause: Finding | None = None) -> list[tuple[str, str]]:
    """
    Return the facts about a finding, each with its label, and at the end what to do and which lesson explains it.

    A consequence leaves out what its cause has said, and what to do: it goes when its cause is fixed.
    """
    if cause is None:
        return [*_seen(record, finding), *_cure(finding)]
    known = {fact for fact in _seen(record, cause) if fact[0] != "at"}
    return [fact for fact in _seen(record, finding) if fact not in known]


def _seen(record: Record, finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.where:
        yield "at", plain(finding.where, 200)
    if who := _who(record, finding):
        yield "who", who
    for line in finding.evidence[:EVIDENCE]:
        yield "seen", plain(line)
    if len(finding.evidence) > EVIDENCE:
        yield "seen", f"and {len(finding.evidence) - EVIDENCE} more like these"
    if now := waits_at(record, _task(record, finding)):
        yield "now", f"waits at {now}"
    if finding.test:
        yield "test", plain(finding.test, 300)


def _cure(finding: Finding) -> Iterator[tuple[str, str]]:
    if code := CODES.get(finding.code):
        yield "do", code.advice
        yield "lesson", code.lesson


def _task(record: Record, finding: Finding) -> Task | None:
    named = [task for task in record.tasks if task.name == finding.task]
    same = [task for task in named if finding.loop is None or (task.loop and task.loop.number == finding.loop)]
    return same[-1] if same else named[-1] if named else None


def _who(record: Record, finding: Finding) -> str:
    task = _task(record, finding)
    name = task_name(task) if task else f'task "{plain(finding.task, 60)}"' if finding.task else ""
    loop = f"loop #{finding.loop}{' (closed)' if finding.loop_closed else ''}" if finding.loop else ""
    age = f"for {duration(finding.age * 1_000_000)}" if finding.age is not None else ""
    process = f"process {finding.pid}" if finding.pid not in (0, record.pid) else ""
    return ", ".join(filter(None, (name, loop, _connection(record, finding), age, process)))


def _connection(record: Record, finding: Finding) -> str:
    if finding.connection is None:
        return ""
    notes = [note for note in record.connections if note.number == finding.connection]
    return connection_name(notes[0]) if notes else f"connection {finding.connection}"
