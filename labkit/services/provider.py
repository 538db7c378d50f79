"""A provider: one place where MySQL and Redis can come from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from labkit.errors import CannotStart
from labkit.services.services import Services
from labkit.settings import Settings

__all__ = ["Probe", "Provider"]


@dataclass(frozen=True)
class Probe:
    """What a look at this machine says of a provider: `reason` and `remedy` are for one that was not found."""

    provider: str
    found: bool
    version: str = ""
    reason: str = ""
    remedy: str = ""

    def require(self) -> None:
        """Raise `CannotStart` unless the provider was found."""
        if not self.found:
            raise CannotStart(f"The provider {self.provider!r} can't start: {self.reason}", remedy=self.remedy)


@dataclass(frozen=True)
class Provider:
    """
    Know how to look for servers and how to start them.

    `look` is quick and starts nothing; `start` gives running services and ends them afterwards.
    """

    name: str
    summary: str
    look: Callable[[Settings], Probe] = field(repr=False)
    start: Callable[[Settings], AbstractAsyncContextManager[Services]] = field(repr=False)
