"""All that a kernel writes, whichever cell it belongs to, also when it comes after that cell has ended."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

__all__ = ["Listener"]

PATIENCE = 30.0  # seconds for a kernel's message to come
ASK_AGAIN = 0.2


class Listener:
    """
    Listen to a kernel beside the client that runs its cells; `texts` holds, for each request, what was written.

    That client drops what a task writes once its cell is over, and what a cell clears: the learner would never see
    such failures.
    """

    def __init__(self, manager: AsyncKernelManager, ask: Callable[[], str]) -> None:
        # `ask` sends the kernel any request and returns its id. A second shell channel would have the identity of
        # the first, and take its answers.
        self._ask = ask
        self.texts: dict[str, str] = defaultdict(str)
        self._client: AsyncKernelClient = manager.client()
        self._idle: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._client.start_channels(shell=False, iopub=True, stdin=False, hb=False, control=False)
        self._task = asyncio.create_task(self._listen())
        await self._subscribed()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        self._client.stop_channels()

    async def heard_all(self, request: str) -> None:
        """Wait until everything that was written for this request, before its end, has come."""
        async with asyncio.timeout(PATIENCE):
            await self._idle[request].wait()

    async def _subscribed(self) -> None:
        # A subscription holds from some moment after it was asked for: ask the kernel until its answer is heard.
        async with asyncio.timeout(PATIENCE):
            heard = False
            while not heard:
                waiting = self._idle[self._ask()].wait()
                with suppress(TimeoutError):
                    heard = await asyncio.wait_for(waiting, ASK_AGAIN)

    async def _listen(self) -> None:
        while True:
            self._hear(await self._client.get_iopub_msg())

    def _hear(self, message: dict[str, Any]) -> None:
        request = message["parent_header"].get("msg_id", "")
        content = message["content"]
        if message["msg_type"] == "stream":
            # One for both streams, split at lines: the two are never mixed within a line.
            self.texts[request] += content["text"]
        elif message["msg_type"] == "status" and content["execution_state"] == "idle":
            self._idle[request].set()
