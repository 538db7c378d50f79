"""Services for code that has no event loop of its own: tests, notebooks, commands."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress

from labkit.services.isolation import isolate
from labkit.services.providers import start_services
from labkit.services.services import Services
from labkit.settings import Settings

__all__ = ["isolated_services", "services_in_lanes", "services_in_thread"]


@contextmanager
def services_in_thread(provider: str | None = None, *, settings: Settings | None = None) -> Iterator[Services]:
    """
    Start services as `start_services` does, from code that is not async, and stop them at the end of the block.

        with services_in_thread("local") as services:
            asyncio.run(main(services))

    A thread with its own event loop starts them and stops them: they don't care which loops use them
    meanwhile, nor how many.
    """
    with _held(lambda: start_services(provider, settings=settings)) as services:
        yield services


@contextmanager
def isolated_services(services: Services) -> Iterator[Services]:
    """Give services that no other user sees, as `isolate` does, to code that is not async."""
    with _held(lambda: isolate(services)) as own:
        yield own


@contextmanager
def services_in_lanes(lanes: int, provider: str | None = None) -> Iterator[list[Services]]:
    """
    Start services for work that is done in `lanes` at a time, each of which isolates itself.

    There is one lane where that can't be done: on your own servers, with an account that may not create schemas.
    """
    with services_in_thread(provider) as services:
        with isolated_services(services) as own:
            possible = own is not services
        yield [services] * (lanes if possible else 1)


@contextmanager
def _held(start: Callable[[], AbstractAsyncContextManager[Services]]) -> Iterator[Services]:
    runner = _Runner(start)
    runner.start()
    try:
        yield runner.services.result()
    finally:
        runner.end()


class _Runner(threading.Thread):
    """Hold the services open in a thread, until told to end."""

    def __init__(self, start: Callable[[], AbstractAsyncContextManager[Services]]) -> None:
        # A daemon: a notebook that never ends the block must not keep Python alive; the reaper ends the servers.
        super().__init__(name="labkit services", daemon=True)
        self.services: concurrent.futures.Future[Services] = concurrent.futures.Future()
        self._begin = start
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._hold())
        except asyncio.CancelledError:
            pass
        except BaseException as fault:  # there is no loop: the system gives no more descriptors, perhaps
            self.services.set_exception(fault)
            self._ready.set()

    async def _hold(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        try:
            async with self._begin() as services:
                self.services.set_result(services)
                await self._loop.create_future()
        except BaseException as fault:
            if not self.services.done():
                self.services.set_exception(fault)
            elif not isinstance(fault, asyncio.CancelledError):
                self._fault = fault

    def end(self) -> None:
        """Cancel what runs or is starting, and wait until all of it is gone; raise what went wrong in stopping."""
        self._ready.wait()
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # the loop has closed by itself: the start failed
                self._loop.call_soon_threadsafe(self._task.cancel)
        self.join()
        if self._fault is not None:
            raise self._fault
