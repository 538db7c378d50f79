"""What a learner sees under a cell: expected and found first, then help, and no text that becomes a page's own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from labkit.course.examination import Examination, Tried
from labkit.course.exercises import find_exercise, load_exercises
from labkit.course.verdict import Verdict
from labkit.notebook.checked import html_of, html_of_solution
from labkit.notebook.exercise import Checked, Solved

EXERCISE = find_exercise(load_exercises(Path(__file__).parents[2]), "ch04")
EVIL = "</div><script>alert(1)</script>"
MISSED = "test_the_engine_of_the_story_is_caught"


def found(verdict: Verdict, *tried: Tried, text: str = "", printed: str = "") -> Examination:
    return Examination(EXERCISE.name, verdict, EXERCISE.broken, tried, text=text, printed=printed)


FAILED = found(Verdict.FAILED, Tried("test_it_is_so", True), Tried(MISSED, False, "expected: one; got: `two`"))


@pytest.mark.parametrize("verdict", Verdict)
def test_the_verdict_is_a_word_and_not_only_a_colour(verdict: Verdict) -> None:
    assert f"<b>{verdict}</b>" in html_of(EXERCISE, found(verdict))


def test_expected_and_found_stand_before_what_others_have_tried() -> None:
    page = html_of(EXERCISE, FAILED)

    assert page.index("expected: one<br>got: `two`") < page.index("What others have tried")
    assert "Nobody is on the way with it." in page


def test_a_test_that_passed_has_another_sign_than_one_that_failed() -> None:
    page = html_of(EXERCISE, FAILED)

    assert re.findall(r">([✓✗])</td><td[^>]*>([^<]*)", page) == [
        ("✓", "it is so"),
        ("✗", "the engine of the story is caught"),
    ]


def test_what_has_passed_says_why_and_shows_no_fixes_only_then() -> None:
    passed = html_of(EXERCISE, found(Verdict.PASSED, Tried("test_it_is_so", True)))

    assert "Why it works, and what does not" in passed
    assert "<p>The error that was wanted says nothing of the connection on which it came.</p>" in passed
    assert "Why it works" not in html_of(EXERCISE, FAILED)


def test_the_solution_is_highlighted_with_other_fixes_and_with_what_is_none() -> None:
    page = html_of_solution(EXERCISE)

    assert '<span style="color:var(--jp-mirror-editor-keyword-color,inherit);font-weight:bold">async</span>' in page
    assert "Other fixes that are right: the pool has one connection, the pool says who is out, " in page
    assert "What is no fix, and why" in page


@pytest.mark.parametrize(
    "page",
    [
        html_of(EXERCISE, found(Verdict.FAILED, Tried(f"test_{EVIL}", False, f"expected: {EVIL}; got: {EVIL}"))),
        html_of(EXERCISE, found(Verdict.TIMED_OUT, text=EVIL, printed=EVIL)),
        html_of(EXERCISE, found(Verdict.PASSED)),
        html_of_solution(EXERCISE),
    ],
    ids=["tests", "texts", "passed", "solution"],
)
def test_every_text_stays_text(page: str) -> None:
    tags = {element.tag for element in ET.fromstring(f"<div>{page}</div>".replace("<br>", "<br/>")).iter()}

    assert "script" not in tags


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (Checked(EXERCISE, FAILED), "✗ the engine of the story is caught"),
        (Checked(EXERCISE, found(Verdict.PASSED)), "passed"),
        (Solved(EXERCISE), "No fixes:"),
    ],
)
def test_without_a_page_it_is_told_as_in_a_terminal(shown: Checked | Solved, words: str) -> None:
    assert words in repr(shown)
    assert "\x1b" not in repr(shown)


def test_who_grades_by_cells_gets_an_assertion() -> None:
    Checked(EXERCISE, found(Verdict.PASSED)).require()
    with pytest.raises(AssertionError, match="failed: expected: one; got: `two`"):
        Checked(EXERCISE, FAILED).require()
