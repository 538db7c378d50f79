"""The tour tells the story on every provider, and says so when it was not seen."""

from __future__ import annotations

import pytest

from labkit.course import tour
from labkit.engine import Engine
from labkit.services import Capability, Services

told: dict[str, list[tour.Step]] = {}


def the_story(services: Services) -> list[tour.Step]:
    """Tell it once for each provider: several tests look at what was told."""
    if services.provider not in told:
        told[services.provider] = list(tour.tell(services))
    return told[services.provider]


@pytest.mark.learner_path
def test_all_eight_steps_are_seen_as_told(any_services: Services) -> None:
    steps = the_story(any_services)

    assert [step.number for step in steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [step.title for step in steps if not step.as_told] == []


def test_the_error_of_the_story_comes_after_the_integrity_error(services: Services) -> None:
    seen = the_story(services)[2].seen

    assert "IntegrityError" in seen[0]
    assert "1062" in seen[0]
    assert "RuntimeError: Event loop is closed" in seen[1]
    assert "garbage collector" in seen[2]


def test_what_sqlite_tells_otherwise_is_said(any_services: Services) -> None:
    differs = [step.number for step in the_story(any_services) if step.differs]

    assert differs == ([] if Capability.SERVER in any_services.capabilities else [3, 8])


def test_an_engine_without_the_bug_does_not_tell_the_story(
    any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tour, "RegistryRebuilt", Engine)

    steps = list(tour.tell(any_services))

    assert [step.number for step in steps if step.as_told] == [1, 2, 8]


def test_a_bug_in_the_cure_is_noticed(any_services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour, "Engine", tour.RegistryRebuilt)

    steps = list(tour.tell(any_services))

    assert [step.number for step in steps if not step.as_told] == [8]
