"""Notebooks run from top to bottom without a browser, judged by what they raise and by what fails in silence."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
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

__all__ = ["count_cells", "run_notebook", "run_notebooks"]

# A cell's metadata: part of the line, or a list of them, that the failure it shows prints.
DECLARED = "silent-failure"

# Run after the last cell: what the notebook still holds in its variables is dropped, and fails now or never.
LAST = "get_ipython().reset(new_session=False)"
START = 60.0  # seconds for a kernel to answer
AFTER = "after the last cell"


def run_notebook(
    notebook: Path,
    *,
    kernel: Sequence[str],
    environment: Mapping[str, str] | None = None,
    timeout: float = 60.0,
    output: Path | None = None,
) -> NotebookRun:
    """
    Run a notebook on a kernel of its own and judge it; the kernel is gone afterwards, also after Ctrl-C.

    `kernel` is the command that starts the kernel, `environment` is added to its environment. A cell may take
    `timeout` seconds. With `output`, a folder, the executed notebook is written there.

    A cell fails when it raises, and when it, or what it leaves behind, fails in silence, unless its metadata
    declares that: `silent-failure: "never awaited"`; then it must.
    """
    [run] = run_notebooks([notebook], [environment or {}], kernel=kernel, timeout=timeout, output=output)
    return run


def run_notebooks(
    notebooks: Sequence[Path],
    environments: Sequence[Mapping[str, str]],
    *,
    kernel: Sequence[str],
    timeout: float = 60.0,
    on_cell: Callable[[Path, int], None] = lambda notebook, cells: None,
    output: Path | None = None,
) -> list[NotebookRun]:
    """
    Run notebooks as `run_notebook` does, as many at once as there are `environments`, each of which is lent to one.

    So environments that name different servers keep notebooks from seeing each other's connections. `on_cell` is
    told how many code cells of a notebook have been run.
    """

    async def run_all() -> list[NotebookRun]:
        free: asyncio.Queue[Mapping[str, str]] = asyncio.Queue()
        for each in environments:
            free.put_nowait(each)

        async def run(notebook: Path) -> NotebookRun:
            own = await free.get()
            try:
                return await _run(notebook, kernel, own, timeout, partial(on_cell, notebook), output)
            finally:
                free.put_nowait(own)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(notebook)) for notebook in notebooks]
        return [task.result() for task in tasks]

    return asyncio.run(run_all())


async def _run(
    notebook: Path,
    kernel: Sequence[str],
    environment: Mapping[str, str],
    timeout: float,
    on_cell: Callable[[int], None],
    output: Path | None,
) -> NotebookRun:
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder:
        own = {"IPYTHONDIR": folder, "LABKIT_HOME": folder}  # nobody's startup files, nobody's progress
        manager = AsyncKernelManager(
            kernel_spec_manager=_OnlyKernel(kernel), connection_file=str(Path(folder, "kernel.json"))
        )
        if os.name == "posix":
            manager.transport = "ipc"  # sockets in the private folder: no port that others could reach
        play = _Run(notebook, manager, {**os.environ, **own, **environment}, timeout, on_cell)
        run = await play.run()
    if output is not None:
        nbformat.write(play.notebook, output / notebook.name)  # type: ignore[no-untyped-call]
    return run


def count_cells(notebook: Path) -> int:
    """Return how many cells of a notebook hold code."""
    return len(_code_cells(nbformat.read(notebook, as_version=4)))  # type: ignore[no-untyped-call]


class _Run:
    def __init__(
        self,
        path: Path,
        manager: AsyncKernelManager,
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
        self._client = NotebookClient(
            self.notebook,
            km=manager,
            timeout_func=lambda cell: timeout,
            on_cell_executed=self._remember,
        )
        self._cells = _code_cells(self.notebook)

    async def run(self) -> NotebookRun:
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
        await self._manager.start_kernel(env=self._environment, cwd=self._folder)
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
            await self._manager.shutdown_kernel(now=self._verdict is not Verdict.PASSED or not self._all_ran)

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


class _OnlyKernel(KernelSpecManager):
    """Know one kernel, whatever name a notebook asks for: nothing needs to be installed for Jupyter to find."""

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__()
        self._command = list(command)

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(argv=self._command, display_name="labkit", language="python", name=kernel_name)


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def _declared(cell: NotebookNode) -> list[str]:
    words = cell.metadata.get(DECLARED, [])
    return [words] if isinstance(words, str) else list(words)


def _first_line(cell: NotebookNode) -> str:
    return str(cell.source.strip().partition("\n")[0])


def _by_cell(fault: Fault) -> tuple[bool, int]:
    return fault.cell == 0, fault.cell
