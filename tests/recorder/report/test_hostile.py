"""What a program names stays text, wherever it is shown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from io import StringIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from labkit.recorder.report import beside, html, page, report, report_text, table, timeline, trace
from labkit.recorder.sanitize import clip, markup, plain

from ..records import hostile
from .trace_format import complaints

NAMES = [
    "",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "]]><!-- --><![CDATA[",
    "</style></svg></details><h1>",
    "&lt;b&gt; &amp; &#0; &nosuch;",
    "null\x00 and half \ud800 of a pair \udfff",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "right\u202eto left\u2066 and \u200b nothing",
    "lines\nand\rreturns\u2028\u2029\ttabs",
    "x" * 10_000,
    "日本語 \U0001f469\u200d\U0001f4bb \ufffe\uffff",
    "[bold red]markup[/] :smile:",
    "{0} %s \\x1b $VAR",
]
anything = st.one_of(
    st.text(st.characters(exclude_categories=())), st.text(st.sampled_from("<>&\"'/]![\x1b\x00\u202e\ud800a ="))
)
many = settings(derandomize=True, deadline=None, max_examples=40)


class Reader(HTMLParser):
    """Collects tags with the names of their attributes, as a browser would read them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.names |= {name for name, _ in attrs}

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data!r}")


SAFE = page(*hostile("signup"))


def assert_harmless(text: str) -> None:
    """Nothing in the text acts: it is one stream of printable characters that can be written to any file."""
    text.encode()
    acting = [letter for letter in text if not letter.isprintable() and letter not in "\n\u200c\u200d\u00a0"]
    assert acting == []


def with_examples(test: object) -> object:
    for name in NAMES:
        test = example(name)(test)  # type: ignore[operator, type-var]
    return test


@many
@given(anything)
@with_examples  # type: ignore[arg-type]
def test_on_a_page_it_makes_no_tag_and_no_attribute(name: str) -> None:
    shown, safe = Reader(page(*hostile(name), title=name)), Reader(SAFE)

    assert_harmless(page(*hostile(name), title=name))
    assert set(shown.tags) <= set(safe.tags)
    assert shown.names <= safe.names
    assert not {attribute for attribute in shown.names if attribute.startswith("on")}
    assert shown.tags["svg"] == shown.tags["h1"] == shown.tags["style"] == 1


@many
@given(anything)
@with_examples  # type: ignore[arg-type]
def test_in_a_drawing_it_is_well_formed_text(name: str) -> None:
    record, _ = hostile(name)
    drawn = timeline(record).svg

    assert_harmless(drawn)
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(drawn).iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "path", "text", "g", "circle"}
    ET.fromstring(beside(record, record, (name, name)).svg)


@many
@given(anything)
@with_examples  # type: ignore[arg-type]
def test_in_a_terminal_it_commands_nothing(name: str) -> None:
    record, findings = hostile(name)
    console = Console(file=StringIO(), width=80, force_terminal=True, color_system=None)
    console.print(report(record, findings))
    shown = console.file.getvalue()  # type: ignore[attr-defined]

    for text in (report_text(record, findings), str(table(record)), timeline(record).text()):
        assert_harmless(text)
    for style in ("\x1b[1m", "\x1b[2m", "\x1b[0m"):
        shown = shown.replace(style, "")
    assert "\x1b" not in shown


@many
@given(anything)
@with_examples  # type: ignore[arg-type]
def test_in_a_trace_it_is_text(name: str) -> None:
    made = trace(hostile(name)[0])

    assert made.isascii()
    assert complaints(made) == []
    assert_harmless(json.dumps(json.loads(made), ensure_ascii=False))


@pytest.mark.parametrize("name", ["x" * 10_000, "\x1b" * 10_000, "日" * 10_000], ids=["x", "escape", "wide"])
def test_a_very_long_name_is_cut(name: str) -> None:
    record, findings = hostile(name)

    assert len(report_text(record, findings)) < 30_000
    assert len(html(record, findings)) < 100_000
    assert len(trace(record)) < 100_000
    assert "characters left out" in report_text(record, findings)


@many
@given(anything, st.integers(4, 80))
def test_what_is_clipped_is_never_longer_than_asked(name: str, limit: int) -> None:
    assert len(clip(name, limit)) <= limit
    assert_harmless(clip(name, limit))


@many
@given(anything)
def test_plain_text_stays_as_it_is_and_all_else_is_still_there(name: str) -> None:
    shown = plain(name)

    assert_harmless(shown)
    assert (shown == name) is all(letter.isprintable() or letter in "\u200c\u200d\u00a0" for letter in name)


def test_an_escape_is_seen_and_not_obeyed() -> None:
    assert plain("\x1b[31m \u202e \ud800 \U000e0001 é") == "\\x1b[31m \\u202e \\ud800 \\U000e0001 é"
    assert markup("<a href=\"x\">'&'</a>") == "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;&#x27;&lt;/a&gt;"


def test_an_escape_is_not_cut_in_its_middle() -> None:
    assert [clip("ab\x1b\x1bcd", limit) for limit in (4, 6, 8, 12)] == ["ab…", "ab…", "ab\\x1b…", "ab\\x1b\\x1bcd"]
