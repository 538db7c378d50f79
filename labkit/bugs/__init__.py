"""
The deliberately broken engines: each overrides one seam of the correct one.

    for bug in bugs():
        print(bug.name, bug.symptom)

A bug is a module here and an entry in `catalogue/`, which says what it shows, what it breaks, and what fixes it.
Its engine can be had by name: `from labkit.bugs import RegistryRebuilt`.
"""

from __future__ import annotations

from typing import Any

from labkit.bugs.entries import Bug, bugs, find_bug

__all__ = ["Bug", "bugs", "find_bug"]


def __getattr__(name: str) -> Any:
    # An engine is imported when it is first used: the catalogue can be read without SQLAlchemy.
    for bug in bugs():
        if bug.class_name == name:
            return bug.engine_class
    raise AttributeError(f"module 'labkit.bugs' has no attribute {name!r}")
