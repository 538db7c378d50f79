"""Services for as long as a command runs, or until a signal asks them to end."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Sequence

from labkit.process import Program
from labkit.process.signals import SHELL_OFFSET, signals_to
from labkit.services.providers import start_services
from labkit.services.services import Services

__all__ = ["COMMAND_NOT_FOUND", "hold_services", "run_with_services"]

COMMAND_NOT_FOUND = 127  # as a shell says it
GRACE = 2.0  # seconds for a command to end, should this process be killed


async def hold_services(provider: str | None, announce: Callable[[Services], None]) -> int:
    """
    Start services, `announce` them and hold them until SIGINT, SIGTERM or SIGHUP; return the exit status.

    Ending what was held is success; a signal that comes before the services are there is not.
    """
    ending = _Ending()
    with signals_to(ending.ask):
        try:
            async with start_services(provider) as services:
                await ending.check()
                announce(services)
                ending.announced = True
                await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            if not ending.signal:
                raise
    return 0 if ending.announced else SHELL_OFFSET + ending.signal


class _Ending:
    """The first signal cancels the task; the next ones don't disturb it while it cleans up."""

    def __init__(self) -> None:
        self.signal = 0
        self.announced = False
        self._task = asyncio.current_task()

    def ask(self, number: int) -> None:
        if not self.signal and self._task is not None:
            self.signal = number
            self._task.cancel()

    async def check(self) -> None:
        """Raise `CancelledError` if a signal has come: a driver may have swallowed the cancellation."""
        await asyncio.sleep(0.01)  # a signal that came while a start held up the loop is heard now
        if self.signal:
            raise asyncio.CancelledError


async def run_with_services(
    command: Sequence[str], provider: str | None, announce: Callable[[Services], None] = lambda services: None
) -> int:
    """
    Run `command` with the services' URLs in its environment, stop the services after it, return its exit status.

    A signal sent to this process is passed on to the command. A command that a signal ended gives 128 + n. What the
    command has started and left is ended with it.
    `python3`, `labkit` and other programs of the environment that labkit runs in are found there first.
    """
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    program = shutil.which(command[0], path=path)
    if program is None:
        return COMMAND_NOT_FOUND
    relay = _Relay()
    with signals_to(relay.pass_on):
        try:
            async with start_services(provider) as services:
                await relay.check()
                announce(services)
                status = await relay.run(
                    [program, *command[1:]], {**os.environ, "PATH": path, **services.environment()}
                )
        except asyncio.CancelledError:
            if not relay.signal:
                raise
            return SHELL_OFFSET + relay.signal
    return status if status >= 0 else SHELL_OFFSET - status


class _Relay(_Ending):
    """Before the command runs a signal ends the start; while it runs, the signal is the command's."""

    def __init__(self) -> None:
        super().__init__()
        self._program: Program | None = None
        self._ran = False

    async def run(self, command: Sequence[str], environment: dict[str, str]) -> int:
        self._program = Program(command, env=environment, grace=GRACE)
        try:
            return await asyncio.to_thread(self._program.wait)
        finally:
            self._program.end()
            self._program, self._ran = None, True

    def pass_on(self, number: int) -> None:
        if self._program is not None:
            self._program.send_signal(number)
        elif not self._ran:
            self.ask(number)
