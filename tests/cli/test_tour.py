"""`labkit tour`: what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Labkit


def test_it_prints_each_step_expected_beside_seen(labkit: Labkit, provider: str) -> None:
    finished = labkit("tour", "--provider", provider)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.count("expected") >= 8
    assert finished.stdout.count("as expected") == 9
    assert "NOT as expected" not in finished.stdout
    assert ":***@" in finished.stdout or provider == "sqlite"


def test_as_json_it_is_one_value(labkit: Labkit) -> None:
    finished = labkit("tour", "--json")
    told = json.loads(finished.stdout)

    assert finished.returncode == 0
    assert told["provider"] == "embedded"
    assert [step["as_told"] for step in told["steps"]] == [True] * 8


def test_it_draws_what_it_prints(labkit: Labkit, tmp_path: Path) -> None:
    picture = tmp_path / "tour.svg"

    labkit("tour", "--svg", str(picture))

    drawn = picture.read_text()
    assert "Event&#160;loop&#160;is&#160;closed" in drawn
    assert "url(http" not in drawn


def test_an_unknown_provider_is_one_line_and_exit_2(labkit: Labkit) -> None:
    finished = labkit("tour", "--provider", "embeded")

    assert finished.returncode == 2
    assert finished.stdout == ""
    assert "embedded" in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1
