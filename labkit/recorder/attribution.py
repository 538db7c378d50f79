"""
On whose account work is done: a test's, a fixture's, or a notebook cell's.

A context variable can't say it: a runner that lives for several tests keeps the context of the first, and a thread
may have no context of its own. So the runner of tests or cells says which one is running, and a task that was begun
inside a loop stays with its beginner, however long it lives.
"""

from __future__ import annotations

import asyncio
import functools
import weakref
from typing import Any

from labkit.recorder.patching import Patches

__all__ = ["begin", "end", "owner_now", "owner_of", "run"]

_patches = Patches()
kept = False  # whether accounts are kept; asked for every event
_users = 0
_running: str | None = None
_begun: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

# Tasks that do the work of one test after the other.
_RUNNERS = frozenset({"TestRunner._run_tests_and_fixtures"})


def begin() -> None:
    """Keep accounts from now on."""
    global _users, kept
    _users += 1
    kept = True
    if _users == 1:
        _patches.wrap(asyncio.BaseEventLoop, "create_task", _create_task)


def end() -> None:
    """Keep accounts no more, when everybody who began it has ended it."""
    global _users, _running, kept
    _users -= 1
    if _users == 0:
        _running, kept = None, False
        _patches.remove()
        _begun.clear()


def run(owner: str | None) -> str | None:
    """Say who is running from now on, and return who was."""
    global _running
    before, _running = _running, owner
    return before


def owner_of(task: Any) -> str | None:
    """Return on whose account a task works; for None, what runs outside every task."""
    if not kept:
        return None
    return _begun.get(task, _running) if task is not None else _running


def owner_now() -> str | None:
    """Return on whose account the code works that is running now."""
    loop = asyncio._get_running_loop() if kept else None
    return owner_of(asyncio.current_task(loop)) if loop is not None else owner_of(None)


def _create_task(original: Any) -> Any:
    @functools.wraps(original)
    def create_task(self: Any, coro: Any, *args: Any, **kwargs: Any) -> Any:
        # Outside a running loop it is a runner, or a test itself, which is about to begin.
        owner = owner_now() if asyncio._get_running_loop() is not None else None
        task = original(self, coro, *args, **kwargs)
        if owner is not None and getattr(coro, "__qualname__", "") not in _RUNNERS:
            _begun[task] = owner
        return task

    return create_task
