"""The report says every finding in words, on any terminal."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from labkit.recorder.finding import CODES, Finding
from labkit.recorder.model import Kind
from labkit.recorder.report import report, report_text

from ..records import MS, Build, clean, exhausted, nothing, pubsub, story

STORY = """\
1 finding, with 1 consequence

1  registry-rebuilt  3 times
   Task "signup" got its sessions from 3 registries, all built at one line: each
   access gives a new session.
       at  engine.py:31 in session
      who  task "signup", loop #1 (closed), connection 1, for 59 ms
     seen  2 sessions of this task were open at the same time, on connections 1
           and 2
       do  Build the engine, the session factory and the registry once, where
           the application starts, and keep them.
   lesson  ch08_the_cure
   what followed from it:
   1.1  leaked-connection
        Connection 1 was checked out by task "signup" and never returned.
            at  engine.py:31 in session
          seen  loop #1 closed while the connection was out
                the garbage collector took it 19 ms after loop #1 had closed
          test  tests/test_users.py::test_a_user_is_saved_once

watched 1 engine for 74 ms; 3 checkouts, 2 returned; 2 connections opened, 2
closed
"""


def printed(*, width: int = 80, colour: bool) -> str:
    console = Console(
        file=StringIO(), width=width, force_terminal=colour, color_system="truecolor" if colour else None
    )
    console.print(report(*story()))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_story_at_80_columns() -> None:
    assert report_text(*story(), width=80) == STORY


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    for record, findings in (story(), exhausted()):
        assert max(map(len, report_text(record, findings, width).splitlines())) <= width


def test_nothing_is_said_by_colour_alone() -> None:
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", printed(colour=True))

    assert "\x1b[" in printed(colour=True)
    assert coloured == printed(colour=False)


def test_it_respects_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", printed(colour=True))


def test_a_holder_is_told_with_the_line_where_it_waits_now() -> None:
    text = report_text(*exhausted(), width=200)

    assert 'held at this moment:\n  connection 1: task "order-1" on loop #1, for 3.1 s' in text
    assert "it waits now at orders.py:80 in call_partner" in text


def test_a_finding_tells_where_its_task_waits_now() -> None:
    record, [finding] = exhausted()
    holder = Finding(finding.code, finding.summary, finding.where, task="order-2", loop=1)

    assert "    now  waits at orders.py:80 in call_partner" in report_text(record, [holder])


def test_no_findings_says_what_was_watched() -> None:
    assert report_text(clean(), []).startswith(
        "No findings. Watched 1 engine, 10 checkouts, nothing left behind.\n"
    )


def test_no_findings_where_nothing_was_watched_is_no_praise() -> None:
    assert report_text(nothing(), []) == (
        "No findings, but nothing was watched: no engine and no Redis client was used.\n"
    )


def test_no_findings_with_a_connection_out_names_the_holder() -> None:
    text = report_text(pubsub(), [], width=200)

    assert "1 engine and 1 Redis client, 16 checkouts, 1 connection never returned." in text
    assert 'never returned:\n  Redis connection 2: task "room lobby" on loop #1 (closed), for 860 ms' in text


def test_what_failed_in_the_recorder_itself_is_said() -> None:
    record = clean()
    record.faults.append("checkout: KeyError at pools.py:31")

    assert report_text(record, []).endswith(
        "The recorder itself failed here; the program was not told:\n  checkout: KeyError at pools.py:31\n"
    )


def test_history_that_is_no_longer_kept_is_counted() -> None:
    record = clean()
    record.counts.forgotten, record.counts.statements = 31_000, 5

    assert "; 5 statements; 31 000 older events no longer kept" in report_text(record, [], width=200)


def test_much_evidence_and_many_holders_are_cut_and_counted() -> None:
    build = Build()
    pool, loop = build.pool(), build.loop()
    for number in range(14):
        task = build.task(f"t{number}", loop)
        build.checkout(build.connection(pool, task, 1 * MS), task, 2 * MS)
    finding = Finding("pool-exhausted", "The pool is empty.", None, tuple(f"holder {n}" for n in range(15)))
    text = report_text(build.done(9 * MS), [finding])

    assert "holder 11\n           and 3 more like these" in text
    assert "  and 4 more\n" in text


def test_every_code_is_told_with_its_advice_and_lesson() -> None:
    for code, about in CODES.items():
        text = " ".join(report_text(clean(), [Finding(code, "It happened.", None)], width=400).split())
        assert f"do {about.advice} lesson {about.lesson}" in text


def test_a_finding_of_a_task_that_is_not_in_the_record_keeps_its_name() -> None:
    finding = Finding("session-shared", "Two tasks.", None, task="gone", connection=9)

    assert 'who  task "gone", connection 9' in report_text(clean(), [finding])


def test_an_incident_alone_makes_no_finding() -> None:
    build = Build()
    build.incident(Kind.STALE, 1 * MS)

    assert report_text(build.done(2 * MS), []).startswith("No findings")
