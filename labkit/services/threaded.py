"""Services for code that has no event loop of its own: tests, notebooks, commands."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from labkit.services.services import Services
from labkit.services.start import start_services
from labkit.settings import Settings

__all__ = ["services_in_lanes", "services_in_thread"]


@contextmanager
def services_in_thread(provider: str | None = None, *, settings: Settings | None = None) -> Iterator[Services]:
    """
    Start services as `start_services` does, from code that is not async, and stop them at the end of the block.

        with services_in_thread("local") as services:
            asyncio.run(main(services))

    A thread with an event loop of its own starts them and stops them: they don't care which loops use them
    meanwhile, nor how many.
    """
    runner = _Runner(provider, settings)
    runner.start()
    try:
        yield runner.services.result()
    finally:
        runner.end()


@contextmanager
def services_in_lanes(lanes: int, provider: str | None = None) -> Iterator[list[Services]]:
    """
    Start services for work that is done in `lanes` at a time; no lane shares anything with another.

    There is one lane where the servers are your own, with the provider `url`.
    """
    with ExitStack() as stack:
        started = [stack.enter_context(services_in_thread(provider))]
        while len(started) < lanes and started[0].provider != "url":
            started.append(stack.enter_context(services_in_thread(provider)))
        yield started


class _Runner(threading.Thread):
    """Hold the services open in a thread, until told to end."""

    def __init__(self, provider: str | None, settings: Settings | None) -> None:
        # A daemon: a notebook that never ends the block must not keep Python alive; the reaper ends the servers.
        super().__init__(name="labkit services", daemon=True)
        self.services: concurrent.futures.Future[Services] = concurrent.futures.Future()
        self._arguments = provider, settings
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._hold())

    async def _hold(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        provider, settings = self._arguments
        try:
            async with start_services(provider, settings=settings) as services:
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
        assert self._loop is not None
        assert self._task is not None
        with suppress(RuntimeError):  # the loop has closed by itself: the start failed
            self._loop.call_soon_threadsafe(self._task.cancel)
        self.join()
        if self._fault is not None:
            raise self._fault
