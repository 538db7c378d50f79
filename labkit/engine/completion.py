"""Completion: work that a cancellation must not leave half done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run_to_completion"]

T = TypeVar("T")


async def run_to_completion(work: Coroutine[Any, Any, T] | asyncio.Task[T], seconds: float | None = None) -> T:
    """
    Run `work` to its end even when the caller is cancelled meanwhile; the cancellation is delivered afterwards.

    A commit or a release that stops half-way would leave a connection without an owner. After `seconds` the work
    itself is cancelled, and with it the caller.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task], timeout=seconds)
            if not task.done():
                task.cancel()
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from None if task.cancelled() else task.exception()
    return task.result()
