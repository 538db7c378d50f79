"""What to say when a command needs packages that only the extra `lab` brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labkit.errors import CannotStart

__all__ = ["lab_extra"]


@contextmanager
def lab_extra() -> Iterator[None]:
    """Import inside: a missing package becomes one line that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        from labkit.settings import install_command

        raise CannotStart(
            f"This command needs {missing.name}, which is not installed.",
            remedy=f"Run: {install_command()}",
        ) from None
