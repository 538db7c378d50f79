"""A server in its own thread and event loop."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod

__all__ = ["HOST", "ServerThread"]

HOST = "127.0.0.1"


class ServerThread(ABC):
    """
    Serve until told to stop, beside whatever the process does on its own loops.

    `start` and `stop` block shortly; call them from any thread but the server's own.
    """

    def __init__(self, name: str) -> None:
        self.port = 0
        self._ready = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start listening on a free port, or raise what stood in the way."""
        self._thread.start()
        self._ready.wait()
        if self._fault is not None:
            self._thread.join()
            raise self._fault

    def stop(self) -> None:
        """End every connection and the thread; do nothing when there is none."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            try:
                runner.run(self._main())
            except BaseException as fault:
                self._fault = fault
            finally:
                self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await self._serve()

    def _listens(self, server: asyncio.Server) -> None:
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()

    @abstractmethod
    async def _serve(self) -> None:
        """Listen, say so with `_listens`, wait for `_stopping`, and leave nothing open."""
