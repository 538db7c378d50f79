"""Event loops: their end, the tasks and generators they leave behind, and time-outs."""

from __future__ import annotations

import asyncio
import asyncio.runners
import asyncio.timeouts
import functools
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from labkit.recorder import activity
from labkit.recorder.hooks import factories
from labkit.recorder.patching import Patches, hook

__all__ = ["install", "met", "remove", "watch"]

_patches = Patches()
_watched: set[type] = set()


def install() -> None:
    """Hear of loops that end."""
    watch(asyncio.BaseEventLoop)
    _patches.wrap(asyncio.runners, "_cancel_all_tasks", _cancel_all_tasks)
    _patches.wrap(asyncio.timeouts.Timeout, "_on_timeout", _on_timeout)
    loop = asyncio._get_running_loop()
    if loop is not None:
        _watch_running(loop)


def remove() -> None:
    """Leave every loop as it was."""
    _patches.remove()
    _watched.clear()
    finalizer = sys.get_asyncgen_hooks().finalizer
    if isinstance(finalizer, _Finalizer):
        sys.set_asyncgen_hooks(finalizer=finalizer.original)


def watch(kind: type) -> None:
    """Hear of the end of every loop of a class; uvloop's has nothing in common with asyncio's own."""
    if kind in _watched:
        return
    _watched.add(kind)
    _patches.wrap(kind, "close", _close)
    _patches.wrap(kind, "shutdown_asyncgens", _shutdown)
    _patches.wrap(kind, "call_exception_handler", _exception_handler)
    _patches.wrap(kind, "_asyncgen_finalizer_hook", _finalizer_hook)


def met(loop: Any) -> None:
    """A loop is seen for the first time: hear of its end too, if it is of another make than asyncio's own."""
    if _watched and not isinstance(loop, asyncio.BaseEventLoop):
        watch(type(loop))


def _watch_running(loop: Any) -> None:
    """A loop that runs already has its hooks for generators set."""
    met(loop)
    hooks = sys.get_asyncgen_hooks()
    if hooks.finalizer is not None and not isinstance(hooks.finalizer, _Finalizer):
        sys.set_asyncgen_hooks(finalizer=_Finalizer(hooks.finalizer))


class _Finalizer:
    """A loop's own hook for dropped generators, with the recorder's before it."""

    def __init__(self, original: Any) -> None:
        self.original = original

    def __call__(self, generator: Any) -> None:
        generator_left(generator)
        self.original(generator)


@hook
def loop_closing(trackers: Any, loop: Any) -> None:
    trackers.loops.closing(loop)


@hook
def tasks_ending(trackers: Any, loop: Any) -> None:
    trackers.loops.ending([task for task in asyncio.all_tasks(loop) if not task.done()])


@hook
def task_destroyed(trackers: Any, context: dict[str, Any]) -> None:
    if "task" in context and "destroyed but it is pending" in str(context.get("message")):
        trackers.loops.destroyed(context["task"])


@hook
def generator_left(trackers: Any, generator: Any) -> None:
    """Tell of a suspended generator, if a session or connection is open among its variables."""
    frame = getattr(generator, "ag_frame", None)
    held = list(_open_in(frame)) if frame is not None else []
    if held:
        trackers.loops.dropped_generator(generator, held)


@hook
def task_timed_out(trackers: Any, task: Any) -> None:
    trackers.loops.timed_out(task)


@hook
def left_in_scope(trackers: Any, loop: Any) -> None:
    for registry in factories.registries():
        scopes = getattr(registry.registry, "registry", None)
        for scope, session in list(scopes.items()) if isinstance(scopes, dict) else ():
            if _has_ended(trackers, scope, session, loop):
                trackers.loops.left_in_scope(session.sync_session, with_connection=session.in_transaction())


def _has_ended(trackers: Any, scope: Any, session: Any, loop: Any) -> bool:
    """Return True if a scope belonged to a task of this loop, which has ended."""
    if isinstance(scope, asyncio.Task):
        return scope.done() and scope.get_loop() is loop
    maker = trackers.sessions.entry(session.sync_session).task
    return maker.ended is not None and maker.loop is trackers.ledger.loop(loop)


def _close(original: Any) -> Any:
    @functools.wraps(original)
    def close(self: Any) -> None:
        if not self.is_closed() and not self.is_running():
            tasks_ending(self)
            left_in_scope(self)
            loop_closing(self)
        original(self)

    return close


def _shutdown(original: Any) -> Any:
    @functools.wraps(original)
    def shutdown_asyncgens(self: Any) -> Any:
        for generator in list(getattr(self, "_asyncgens", ())):
            generator_left(generator)
        return original(self)

    return shutdown_asyncgens


def _exception_handler(original: Any) -> Any:
    @functools.wraps(original)
    def call_exception_handler(self: Any, context: Any) -> None:
        task_destroyed(context)
        original(self, context)

    return call_exception_handler


def _finalizer_hook(original: Any) -> Any:
    @functools.wraps(original)
    def _asyncgen_finalizer_hook(self: Any, generator: Any) -> None:
        generator_left(generator)
        original(self, generator)

    return _asyncgen_finalizer_hook


def _cancel_all_tasks(original: Any) -> Any:
    @functools.wraps(original)
    def cancel_all_tasks(loop: Any) -> None:
        tasks_ending(loop)
        original(loop)

    return cancel_all_tasks


def _on_timeout(original: Any) -> Any:
    @functools.wraps(original)
    def on_timeout(self: Any) -> None:
        task_timed_out(self._task)
        original(self)

    return on_timeout


def _open_in(frame: FrameType) -> Iterator[Any]:
    for value in frame.f_locals.values():
        # By its class, since `isinstance` would wake the proxies of web frameworks.
        kind = type(value)
        if issubclass(kind, (AsyncSession, AsyncConnection)):
            subject = value.sync_session if issubclass(kind, AsyncSession) else value.sync_connection
            if subject is not None and not activity.state_of(subject).closed:
                yield subject
