"""A private loop: plays a scene on its own event loop, closes it, and keeps all that comes out."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from labkit.scene.capture import Capture
from labkit.scene.happening import Kind
from labkit.scene.outcome import Outcome

__all__ = ["GRACE", "Scene", "play_here"]

Scene = Callable[..., Coroutine[Any, Any, Any]]

ASYNCIO = str(Path(asyncio.__file__).parent)
GRACE = 2.0  # seconds for a cancelled scene to end
ROUNDS = 10

# A scene listens to the whole process, so there is one at a time.
_stage = threading.Lock()


def play_here(scene: Scene, args: tuple[Any, ...], pool_log: bool, timeout: float) -> Outcome:
    """Play `scene(*args)` in a thread of this process; for the rest see `private_loop`."""
    with _stage:
        play = _Play(scene, args, timeout, Capture(pool_log=pool_log))
        thread = threading.Thread(target=play.run, name=f"scene {getattr(scene, '__name__', scene)}", daemon=True)
        thread.start()
        play.wait_for(thread)
        return play.outcome


class _Play:
    def __init__(self, scene: Scene, args: tuple[Any, ...], timeout: float, capture: Capture) -> None:
        # What is left of a scene that has broken its own stage; any other puts its outcome here.
        self.outcome = Outcome(exception=RuntimeError("the scene broke its stage: nothing is known of its end"))
        self._scene = scene
        self._args = args
        self._timeout = timeout
        self._capture = capture
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._waiting: tuple[str, ...] = ()

    def run(self) -> None:
        # Garbage is collected at the end and only there, so that the order is the same every time.
        collecting = gc.isenabled()
        gc.disable()
        gc.freeze()  # what was there before is none of the scene's, and looking through it would take the most time
        try:
            with self._capture:
                self._play()
        finally:
            gc.unfreeze()
            if collecting:
                gc.enable()

    def _play(self) -> None:
        began = time.perf_counter()
        result: Any = None
        raised: BaseException | None = None
        try:
            with asyncio.Runner() as runner:
                result = runner.run(self._main())
        except BaseException as error:  # whatever a scene raises is its outcome
            raised = error
            self._capture.keep(Kind.EXCEPTION, _said(error), type(error).__name__, _told(error))
            _forget_frames(error)
        self._task = None
        self._capture.loop_closed = True
        self._capture.keep(Kind.LOOP_CLOSED, "the event loop is closed; now the garbage is collected")
        _collect_all()
        self.outcome = Outcome(
            None if self._stopped else result,
            None if self._stopped else raised,
            tuple(self._capture.happenings),
            time.perf_counter() - began,
            self._stopped,
            self._waiting,
        )

    async def _main(self) -> Any:
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(self._timeout, self._stop)
        try:
            return await self._scene(*self._args)
        finally:
            alarm.cancel()

    def _stop(self) -> None:
        self._stopped = True
        self._waiting = tuple(_where(task) for task in asyncio.all_tasks())
        if self._task is not None:
            self._task.cancel()

    def wait_for(self, thread: threading.Thread) -> None:
        """Wait for the end of the scene; a scene that blocks its loop is left behind after its time."""
        try:
            thread.join(self._timeout + GRACE)
        except KeyboardInterrupt:
            task = self._task
            if task is not None:
                task.get_loop().call_soon_threadsafe(task.cancel)
            thread.join(GRACE)
            raise
        if thread.is_alive():
            # A loop that could still be asked is not blocked: its tasks have not ended when they were cancelled.
            waiting = self._waiting or (f"{thread.name}: blocks its event loop",)
            self.outcome = Outcome(
                happenings=tuple(self._capture.happenings),
                timed_out=True,
                waiting=waiting,
                seconds=self._timeout,
            )


def _collect_all() -> None:
    # What a finaliser lets go of is garbage only for the next round: a session, then its connection, its socket.
    for _ in range(ROUNDS):
        if not gc.collect():
            break


def _where(task: asyncio.Task[Any]) -> str:
    # `Task.get_stack` knows the outermost coroutine only; what it waits for is further in.
    places = [frame for frame in _frames(task.get_coro()) if not frame.f_code.co_filename.startswith(ASYNCIO)]
    if not places:
        return f"{task.get_name()}: nowhere"
    frame = places[-1]
    return f"{task.get_name()}: {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def _frames(waiting: Any) -> Iterator[FrameType]:
    while waiting is not None:
        for frame in (getattr(waiting, name, None) for name in ("cr_frame", "ag_frame", "gi_frame")):
            if frame is not None:
                yield frame
        links = (getattr(waiting, name, None) for name in ("cr_await", "ag_await", "gi_yieldfrom"))
        waiting = next(filter(None, links), None)


def _said(error: BaseException) -> str:
    # The text is the scene's own code: an outcome must come of it, whatever it does.
    try:
        return str(error)
    except BaseException as second:
        return f"it can't be said, for that raises {type(second).__name__}"


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _forget_frames(error: BaseException) -> None:
    # The frames of a traceback hold the scene's variables, and with them what should be garbage by now.
    seen: set[int] = set()
    chain: list[BaseException | None] = [error]
    while chain:
        each = chain.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        traceback.clear_frames(each.__traceback__)
        each.__traceback__ = None
        chain += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            chain += each.exceptions
