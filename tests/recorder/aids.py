"""What the tests of the recorder share: programs small enough to be read, and what a recorder saw of them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from labkit.recorder import FlightRecorder

DRIVERS = ("asyncmy", "aiomysql", "aiosqlite")

# What SQLAlchemy, the drivers and asyncio say themselves of what the tests do wrong on purpose.
LEAKY = (
    "ignore:The garbage collector is trying to clean up:sqlalchemy.exc.SAWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)


class Base(DeclarativeBase):
    pass


class Entry(Base):
    __tablename__ = "recorder_notes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(String(200))


def fly(program: Callable[[], Coroutine[Any, Any, object]], *targets: Any, **options: Any) -> FlightRecorder:
    """Run a program under a recorder of its own, from the birth of its loop until its garbage is gone."""
    gc.collect()
    with FlightRecorder(*targets, **options) as flight:
        asyncio.run(program())
        gc.collect()
    return flight


def told(flight: FlightRecorder) -> list[str]:
    """Return the history in short: `opened 1`, `checkout 1`, `checkin 1`."""
    return [f"{event.what} {event.connection or ''}".strip() for event in flight.events]


def ends(flight: FlightRecorder) -> list[str | None]:
    """Return how each checkout ended."""
    return [checkout.end for checkout in flight.record().checkouts]


def incidents(flight: FlightRecorder) -> list[str]:
    """Return what went wrong, in the order of time."""
    return [incident.kind.value for incident in flight.record().incidents]


def codes(flight: FlightRecorder) -> list[str]:
    """Return the codes of the findings, root causes only."""
    return [finding.code for finding in flight.findings()]
