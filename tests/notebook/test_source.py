"""Sources are shown as they are in the package, readable on any page."""

from __future__ import annotations

import html
import inspect
import re

import pytest

from labkit.bugs import RegistryRebuilt, find_bug
from labkit.engine import Engine
from labkit.errors import InvalidInput
from labkit.notebook import compare, show


def test_a_method_is_shown_word_for_word_at_the_left_margin() -> None:
    shown = show(Engine.save)

    assert shown.title == "labkit.engine.core.CoreEngine.save"
    assert shown.text.startswith("async def save(")
    assert [line.strip() for line in shown.text.splitlines()] == [
        line.strip() for line in inspect.getsource(Engine.save).rstrip().splitlines()
    ]


def test_it_prints_as_plain_text() -> None:
    assert repr(show(RegistryRebuilt)).startswith("labkit.bugs.registry_rebuilt.RegistryRebuilt\n\nclass Registry")


def test_on_a_page_nothing_is_lost_and_nothing_is_a_tag_of_its_own() -> None:
    shown = show(test_on_a_page_nothing_is_lost_and_nothing_is_a_tag_of_its_own)
    page = shown._repr_html_()

    assert "<this is text>" not in page
    assert html.unescape(re.sub("<[^>]+>", "", page)) == shown.title + shown.text


def test_colours_are_the_pages_own() -> None:
    page = show(Engine.save)._repr_html_()

    assert "var(--jp-mirror-editor-keyword-color,inherit)" in page
    assert "color:#" not in page


def test_the_difference_is_made_of_the_overridden_methods_in_the_order_asked_for() -> None:
    lines = compare(RegistryRebuilt, Engine).text.splitlines()

    assert lines[:2] == ["--- RegistryRebuilt.sessions", "+++ Engine.sessions"]
    assert "+    return self.registry" in lines
    assert any(line.startswith("-    return async_scoped_session(") for line in lines)


def test_a_static_method_is_compared_too() -> None:
    assert '+    return "the session"' in compare(Engine, find_bug("shared_session").engine_class).text


def test_the_other_way_round_the_signs_change() -> None:
    lines = compare(Engine, RegistryRebuilt).text.splitlines()

    assert "-    return self.registry" in lines


def test_a_removed_line_has_its_sign_beside_its_colour() -> None:
    page = compare(Engine, RegistryRebuilt)._repr_html_()

    assert ">-    return self.registry</span>" in page


@pytest.mark.parametrize(("before", "after"), [(Engine, Engine), (Engine, int), (RegistryRebuilt, object)])
def test_what_overrides_nothing_cannot_be_compared(before: type, after: type) -> None:
    with pytest.raises(InvalidInput, match="overrides methods of another"):
        compare(before, after)
