"""A notebook on a kernel: each cell is run, and judged by what it raises and by what fails in silence."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from labkit.course.listener import Listener
from labkit.course.verdict import Fault, NotebookRun, Verdict, judge_output
from labkit.process import Supervised

__all__ = ["KernelRun", "OnlyKernel", "code_cells"]

# A cell's metadata: part of the line, or a list of them, that the failure it shows prints.
DECLARED = "silent-failure"

# Run after the last cell: what the notebook still holds in its variables is dropped, and fails now or never.
LAST = "get_ipython().reset(new_session=False)"
START = 60.0  # seconds for a kernel to answer
END = 15.0  # seconds for a supervisor to end what a kernel has started
STEP = 0.01  # seconds between two looks
AFTER = "after the last cell"


class KernelRun:
    """A notebook on the kernel of `manager`, which is `supervised`, from the start of that kernel to its end."""

    def __init__(
        self,
        path: Path,
        manager: AsyncKernelManager,
        supervised: Supervised,
        environment: Mapping[str, str],
        timeout: float,
        on_cell: Callable[[int], None],
    ) -> None:
        self.notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        self._name = path.stem
        self._on_cell = on_cell
        self._requests: dict[int, str] = {}  # the number of a code cell: the request that ran it
        self._faults: list[Fault] = []
        self._verdict = Verdict.PASSED
        self._environment = environment
        self._timeout = timeout
        self._folder = str(path.parent)
        self._all_ran = False
        self._manager = manager
        self._supervised = supervised
        self._client = NotebookClient(
            self.notebook,
            km=manager,
            timeout_func=lambda cell: timeout,
            on_cell_executed=self._remember,
        )
        self._cells = code_cells(self.notebook)

    async def run(self) -> NotebookRun:
        """Run every cell, and judge; the kernel is gone afterwards, whatever happens."""
        began = time.perf_counter()
        try:
            async with self._kernel(), Listener(self._manager, self._ask) as listener:
                await self._run_cells(listener)
                self._judge(listener.texts)
        except (RuntimeError, OSError) as error:
            self._fail(Verdict.ENVIRONMENT, 0, "the kernel", str(error))
        ran = len(self._requests.keys() - {0})
        seconds = round(time.perf_counter() - began, 3)
        return NotebookRun(
            self._name, self._verdict, ran, len(self._cells), seconds, tuple(sorted(self._faults, key=_by_cell))
        )

    @asynccontextmanager
    async def _kernel(self) -> AsyncIterator[None]:
        # Not by nbclient, which takes Ctrl-C for itself, and leaves a kernel that did not start to the end.
        descriptors = self._supervised.descriptors
        try:
            await self._manager.start_kernel(env=self._environment, cwd=self._folder, pass_fds=descriptors)
        finally:
            self._supervised.started()
        try:
            self._client.kc = client = self._manager.client()
            client.start_channels()
            try:
                await client.wait_for_ready(timeout=START)
                client.allow_stdin = False
                yield
            finally:
                client.stop_channels()
        finally:
            # A kernel that is at work does not listen: it is asked to end only when all has been said.
            at_work = self._verdict is not Verdict.PASSED or not self._all_ran
            if at_work:
                await self._end_all()
            await self._manager.shutdown_kernel(now=at_work)
            self._supervised.end()

    async def _end_all(self) -> None:
        """End the kernel with all that it has started: Jupyter would kill its process group only."""
        self._supervised.end()
        end = time.monotonic() + END
        while sys.platform != "win32" and await self._manager.is_alive() and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(STEP)

    async def _run_cells(self, listener: Listener) -> None:
        for number, cell in enumerate(self._cells, 1):
            if not await self._run_cell(number, cell):
                return
            await listener.heard_all(self._requests[number])
            self._on_cell(number)
        last = nbformat.v4.new_code_cell(LAST)  # type: ignore[no-untyped-call]
        self.notebook.cells.append(last)
        self._all_ran = await self._run_cell(0, last)
        self.notebook.cells.pop()
        if self._all_ran:
            await listener.heard_all(self._requests[0])

    async def _run_cell(self, number: int, cell: NotebookNode) -> bool:
        self._number = number
        place = self.notebook.cells.index(cell)
        try:
            await self._client.async_execute_cell(cell, place, execution_count=number or None)
        except CellTimeoutError:
            self._fail(Verdict.TIMED_OUT, number, _first_line(cell), f"did not end within {self._timeout:g} s")
        except CellExecutionError as error:
            self._fail(Verdict.FAILED, number, _first_line(cell), f"{error.ename}: {error.evalue}")
        except DeadKernelError:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise asyncio.CancelledError from None
            self._fail(Verdict.FAILED, number, _first_line(cell), "the kernel died")
        return self._verdict is Verdict.PASSED

    def _ask(self) -> str:
        assert self._client.kc is not None
        return str(self._client.kc.kernel_info())

    def _remember(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        self._requests[self._number] = execute_reply["parent_header"]["msg_id"]

    def _fail(self, verdict: Verdict, number: int, line: str, text: str) -> None:
        self._verdict = verdict
        self._faults.append(Fault(number, line, text))

    def _judge(self, texts: Mapping[str, str]) -> None:
        raised = {fault.cell for fault in self._faults}
        for number, line, declared, text in self._written(texts):
            for wrong in judge_output(text, () if number in raised else declared):
                self._faults.append(Fault(number, line, wrong))
                if self._verdict is Verdict.PASSED:
                    self._verdict = Verdict.FAILED

    def _written(self, texts: Mapping[str, str]) -> Iterator[tuple[int, str, list[str], str]]:
        numbers = {request: number for number, request in self._requests.items()}
        for request, number in numbers.items():
            if number:
                cell = self._cells[number - 1]
                yield number, _first_line(cell), _declared(cell), texts.get(request, "")
        yield 0, AFTER, [], "\n".join(text for request, text in texts.items() if not numbers.get(request))


class OnlyKernel(KernelSpecManager):
    """Know one kernel, whatever name a notebook asks for: nothing needs to be installed for Jupyter to find."""

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._command = list(command)

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return that one."""
        return KernelSpec(argv=self._command, display_name="labkit", language="python", name=kernel_name)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def _declared(cell: NotebookNode) -> list[str]:
    words = cell.metadata.get(DECLARED, [])
    return [words] if isinstance(words, str) else list(words)


def _first_line(cell: NotebookNode) -> str:
    return str(cell.source.strip().partition("\n")[0])


def _by_cell(fault: Fault) -> tuple[bool, int]:
    return fault.cell == 0, fault.cell
