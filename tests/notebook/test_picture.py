"""The picture says what its words say, on any page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from labkit.notebook import picture

NAMES = ("console", "API", "engine", "sessions", "pool", "MySQL", "Redis")


def drawing() -> ET.Element:
    return ET.fromstring(picture()._repr_html_())


def test_it_prints_as_words() -> None:
    assert repr(picture()).startswith("console → API → engine → MySQL and Redis")


def test_a_reader_who_cannot_see_it_is_told_the_same() -> None:
    told = drawing().attrib["aria-label"]

    assert drawing().attrib["role"] == "img"
    assert all(name in told for name in ("console", "API", "engine", "essions", "pool", "MySQL", "Redis"))


def test_every_part_is_named_in_the_drawing() -> None:
    texts = [element.text for element in drawing().iter("{http://www.w3.org/2000/svg}text")]

    assert all(name in texts for name in NAMES)


def test_nothing_reaches_over_its_edge() -> None:
    left, top, width, height = map(float, drawing().attrib["viewBox"].split())
    for box in drawing().iter("{http://www.w3.org/2000/svg}rect"):
        x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert left <= x <= x + w <= left + width
        assert top <= y <= y + h <= top + height


def test_lines_and_letters_take_the_colour_of_the_page() -> None:
    colours = set(re.findall(r'(?:stroke|fill)="([^"]+)"', picture()._repr_html_()))

    assert colours == {"currentColor", "none", "#e8731a"}
