"""
Every exception that labkit raises of its own.

    LabkitError                     says what was expected, what it got, and what to do
    ├── Misuse                      the caller can fix it
    │   ├── InvalidSetting          a URL, a provider's name or a number that can't be used
    │   ├── InvalidInput            an object, a key or a page that can't be sent to the database
    │   ├── NotOpen                 the engine was used before `open()` or after `close()`
    │   ├── WrongLoop               the engine was used on another event loop than its own
    │   ├── WrongProcess            the engine was used in a forked child of its own process
    │   └── MissingCapability       this provider can't do that; the message names one that can
    └── Failure                     the world failed
        ├── CannotStart             a provider found here did not start, or was not found
        └── Unreachable             a server does not answer, or refuses the login

An integrity error stays SQLAlchemy's own `sqlalchemy.exc.IntegrityError`: it is the database that speaks.
"""

from __future__ import annotations

__all__ = [
    "CannotStart",
    "Failure",
    "InvalidInput",
    "InvalidSetting",
    "LabkitError",
    "MissingCapability",
    "Misuse",
    "NotOpen",
    "Unreachable",
    "WrongLoop",
    "WrongProcess",
]


class LabkitError(Exception):
    """
    Say in one line what was expected, what came instead, and what to do.

    `message` says the first two, `remedy` the third. Neither may hold a password.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class Misuse(LabkitError):
    """The caller asked for something that can't be, and can fix it."""


class InvalidSetting(Misuse, ValueError):
    """A URL, a provider's name or a number that can't be used."""


class InvalidInput(Misuse, ValueError):
    """An object, a key or a page that can't be sent to the database."""


class NotOpen(Misuse, RuntimeError):
    """The engine was used before `open()` or after `close()`."""


class WrongLoop(Misuse, RuntimeError):
    """The engine was used on another event loop than the one that opened it."""


class WrongProcess(Misuse, RuntimeError):
    """The engine was used in a forked child of the process that opened it."""


class MissingCapability(Misuse, NotImplementedError):
    """This provider can't do what was asked; the message names one that can."""


class Failure(LabkitError):
    """The world failed: a server, a binary, a network, a disk."""


class CannotStart(Failure):
    """A provider was not found here, or its servers did not start."""


class Unreachable(Failure, ConnectionError):
    """A server does not answer at its URL, or refuses the login."""
