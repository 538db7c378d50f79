"""The course: the story told as a tour, its lessons as notebooks, and what a machine needs for them."""

from __future__ import annotations

# Each module is imported by itself: `labkit doctor` must be able to tell which package the others lack.
__all__: list[str] = []
