"""
The deliberately broken engines: each overrides one seam of the correct one.

    for bug in bugs():
        print(bug.name, bug.symptom)

A bug is a module here and an entry in `catalogue/`, which says what it shows, what it breaks, and what mends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labkit.bugs.entries import Bug, bugs, find_bug

if TYPE_CHECKING:
    from labkit.bugs.registry_rebuilt import RegistryRebuilt

__all__ = ["Bug", "RegistryRebuilt", "bugs", "find_bug"]


def __getattr__(name: str) -> Any:
    # An engine is imported when it is first used: the catalogue can be read without SQLAlchemy.
    if name == "RegistryRebuilt":
        from labkit.bugs.registry_rebuilt import RegistryRebuilt

        return RegistryRebuilt
    raise AttributeError(f"module 'labkit.bugs' has no attribute {name!r}")
