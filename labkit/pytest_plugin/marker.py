"""The marker `no_leaks`: a test fails for what it leaks, but for what it is allowed to."""

from __future__ import annotations

import pytest

__all__ = ["MARKER", "allowed", "check"]

MARKER = "no_leaks(allow=[]): fail if the test leaks; `allow` names the findings that it may have."


def allowed(item: pytest.Item) -> set[str]:
    """Return the codes of findings that a test may have."""
    return {code for marker in item.iter_markers("no_leaks") for code in _codes(marker)}


def check(marker: pytest.Mark) -> None:
    """Raise `pytest.UsageError` for a marker that says nothing: an unknown code allows nothing."""
    from labkit.recorder.finding import CODES

    unknown = [code for code in _codes(marker) if code not in CODES]
    if marker.args or set(marker.kwargs) - {"allow"} or unknown:
        wrong = ", ".join(map(repr, unknown)) or "something else"
        raise pytest.UsageError(f"no_leaks takes allow=[codes], not {wrong}. Codes are: {', '.join(CODES)}.")


def _codes(marker: pytest.Mark) -> list[str]:
    allow = marker.kwargs.get("allow", ())
    return [allow] if isinstance(allow, str) else list(allow)
