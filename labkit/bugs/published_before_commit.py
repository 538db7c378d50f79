"""
BUG: a message goes out at once, also in the middle of a unit of work.

Symptom: a subscriber hears of a row, looks for it and finds nothing; a block that is rolled back has told everybody
of what never was.

Sources: https://github.com/mozilla/addons/issues/2395, https://github.com/CenterForOpenScience/SHARE/pull/892
"""

from __future__ import annotations

from labkit.engine import Engine, Outgoing

__all__ = ["PublishedBeforeCommit"]


class PublishedBeforeCommit(Engine):
    """The correct engine, but for one seam."""

    async def post(self, message: Outgoing) -> None:
        """Send a message now, or after the commit of the block that this task is in."""
        # "The commit is a moment away, and nobody is faster than that."
        await self.announce([message])
