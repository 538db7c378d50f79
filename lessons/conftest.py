"""
Check the course, as `labkit verify` does: `pytest lessons`.

The tests of an exercise are run on every file that it must judge, by `test_course.py`; they are none by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labkit.services import Services, services_in_thread

collect_ignore_glob = ["ch*", "story"]


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """Give the services that LABKIT_PROVIDER names, or the default ones."""
    with services_in_thread() as running:
        yield running
