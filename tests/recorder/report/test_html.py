"""On a page, the findings stand in words before the picture."""

from __future__ import annotations

import re

from labkit.recorder.report import beside, html, page, report_text

from ..records import clean, exhausted, fixed, nothing, story


def words(markup: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", markup).replace("&quot;", '"').split())


def test_a_page_says_all_that_the_report_says() -> None:
    for record, findings in (story(), exhausted()):
        shown = words(html(record, findings)).casefold()
        for line in report_text(record, findings, width=1_000).splitlines():
            for part in re.split(r" {2,}", line.strip().casefold()):
                assert part.rstrip(":") in shown or re.fullmatch(r"\d times", part)


def test_findings_come_before_the_checkouts_and_the_picture_last() -> None:
    shown = html(*story())

    assert shown.index("registry-rebuilt") < shown.index("leaked-connection") < shown.index("<details>")
    assert shown.index("<details>") < shown.index("<svg")


def test_a_page_needs_nothing_else() -> None:
    shown = page(*story(), title="My program")

    assert shown.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>My program</title>" in shown
    assert not re.search(r"<(script|link|img|iframe)|src=|href=|url\(|@import", shown)
    assert re.findall(r"https?://[^\"]+", shown) == ["http://www.w3.org/2000/svg"]


def test_a_page_can_show_two_records() -> None:
    shown = page(story()[0], [], drawn=beside(story()[0], fixed()))

    assert ">broken<" in shown
    assert ">fixed<" in shown


def test_no_findings_is_said_clearly() -> None:
    assert "No findings. Watched 1 engine, 10 checkouts, nothing left behind." in words(html(clean(), []))
    assert "nothing was watched" in words(html(nothing(), []))
    assert "<svg" not in html(nothing(), [])
