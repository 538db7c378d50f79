"""Notebooks run from top to bottom without a browser, several at once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager

from labkit.course.kernel import KernelRun, OnlyKernel, code_cells
from labkit.course.verdict import NotebookRun
from labkit.process import Supervised, private_folder

__all__ = ["count_cells", "run_notebook", "run_notebooks"]

LONGEST = 90  # bytes of a folder in which sockets have names: the path of a socket has 108, on macOS 104


def run_notebook(
    notebook: Path,
    *,
    kernel: Sequence[str],
    environment: Mapping[str, str] | None = None,
    timeout: float = 60.0,
    output: Path | None = None,
) -> NotebookRun:
    """
    Run a notebook on its own kernel and judge it; the kernel is gone afterwards, also after Ctrl-C.

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

    # Jupyter's sockets can't be waited for by the loop that Windows has by default.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop if sys.platform == "win32" else None) as runner:
        return runner.run(run_all())


async def _run(
    notebook: Path,
    kernel: Sequence[str],
    environment: Mapping[str, str],
    timeout: float,
    on_cell: Callable[[int], None],
    output: Path | None,
) -> NotebookRun:
    with private_folder() as folder:
        own = {"IPYTHONDIR": str(folder), "LABKIT_HOME": str(folder)}  # without startup files and progress
        supervised = Supervised(kernel)
        manager = AsyncKernelManager(
            kernel_spec_manager=OnlyKernel(supervised.command), connection_file=str(Path(folder, "kernel.json"))
        )
        if os.name == "posix" and len(str(folder)) < LONGEST:
            manager.transport = "ipc"  # sockets in the private folder: no port that others could reach
        play = KernelRun(notebook, manager, supervised, {**os.environ, **own, **environment}, timeout, on_cell)
        run = await play.run()
    if output is not None:
        nbformat.write(play.notebook, output / notebook.name)  # type: ignore[no-untyped-call]
    return run


def count_cells(notebook: Path) -> int:
    """Return how many cells of a notebook hold code."""
    return len(code_cells(nbformat.read(notebook, as_version=4)))  # type: ignore[no-untyped-call]
