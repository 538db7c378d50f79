"""Notebooks are run as a reader runs them, and judged also by what fails in silence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from labkit.course.run import count_cells, run_notebook, run_notebooks
from labkit.course.verdict import NotebookRun, Verdict
from labkit.notebook.kernel import kernel_command

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes a notebook of code cells, each a text or a text with its metadata."""

    def written(*cells: str | tuple[str, dict[str, Any]]) -> Path:
        notebook = nbformat.v4.new_notebook()
        for cell in cells:
            source, metadata = (cell, {}) if isinstance(cell, str) else cell
            notebook.cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
        path = tmp_path / "it.ipynb"
        nbformat.write(notebook, path)
        return path

    return written


def run(notebook: Path, **options: Any) -> NotebookRun:
    return run_notebook(notebook, kernel=kernel_command("--HistoryManager.enabled=False"), **options)


# Each waits for the other, so that one after the other would never end.
MEET = "pathlib.Path(mine).touch()\nwhile not pathlib.Path(other).exists(): time.sleep(0.01)"


def faulty_cells(finished: NotebookRun) -> list[int]:
    return sorted({fault.cell for fault in finished.faults})


FINALISER = """\
import asyncio, gc
class Connection:
    def __init__(self, loop): self.loop = loop
    def __del__(self): self.loop.call_soon(print)
loop = asyncio.new_event_loop(); connection = Connection(loop); loop.close(); del connection
print('cell ok')"""

CYCLE = """\
loop = asyncio.new_event_loop(); connection = Connection(loop); loop.close()
connection.me = connection; del connection
print('cell ok')"""

TASK = """\
async def boom(): raise ValueError('boom')
task = asyncio.create_task(boom()); await asyncio.wait([task]); del task
print('cell ok')"""

COROUTINE = """\
async def save(): pass
save()
print('cell ok')"""

SOCKET = """\
server = await asyncio.start_server(lambda reader, writer: writer.close(), '127.0.0.1', 0)
reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
await reader.read()
server.close(); del reader, writer
print('cell ok')"""

PENDING = """\
loop = asyncio.new_event_loop(); task = loop.create_task(save()); loop.close(); del task
print('cell ok')"""

CONTROL = """\
import threading, warnings
def work():
    loop = asyncio.new_event_loop(); loop.close()
    try: loop.call_soon(print)
    except RuntimeError as error: print('caught', error)
thread = threading.Thread(target=work); thread.start(); thread.join()
warnings.warn('old', DeprecationWarning, stacklevel=1)
await asyncio.sleep(0)
print('cell ok')"""


def test_the_silent_probes_fail_and_their_control_does_not(write: Write) -> None:
    probes = [FINALISER, CYCLE, TASK, COROUTINE, SOCKET, PENDING]
    finished = run(write(*probes, CONTROL))

    assert finished.verdict is Verdict.FAILED
    assert finished.cells == finished.of == 7
    assert faulty_cells(finished) == [1, 2, 3, 4, 5, 6]
    assert all(fault.text.startswith("silent failure: ") for fault in finished.faults)


@pytest.mark.learner_path
@pytest.mark.push
def test_the_control_alone_passes(write: Write) -> None:
    finished = run(write(f"import asyncio\n{CONTROL}"))

    assert (finished.verdict, finished.faults) == (Verdict.PASSED, ())


@pytest.mark.push
def test_a_declared_failure_passes_and_must_occur(write: Write) -> None:
    declared = {"silent-failure": "never awaited"}
    finished = run(write((COROUTINE, declared), ("print('cell ok')", declared)))

    [fault] = finished.faults
    assert fault.cell == 2
    assert fault.text == "declares the silent failure 'never awaited', which did not occur"


@pytest.mark.push
def test_several_failures_can_be_declared(write: Write) -> None:
    both = {"silent-failure": ["never awaited", "Exception ignored"]}

    assert run(write((f"{FINALISER}\n{COROUTINE}", both))).verdict is Verdict.PASSED


def test_a_failure_that_comes_late_is_blamed_on_the_cell_that_caused_it(write: Write) -> None:
    begin = "import asyncio\ngo = asyncio.Event()\nasync def boom():\n    await go.wait()\n    raise ValueError\n"
    finished = run(
        write(f"{begin}task = asyncio.create_task(boom())", "go.set(); await asyncio.wait([task]); del task")
    )

    assert finished.verdict is Verdict.FAILED
    assert "never retrieved" in finished.faults[0].text
    assert faulty_cells(finished) in ([1], [2])


@pytest.mark.push
def test_what_a_variable_holds_to_the_end_fails_after_the_last_cell(write: Write) -> None:
    finished = run(write(f"{FINALISER}\nloop = asyncio.new_event_loop(); kept = Connection(loop); loop.close()"))

    places = [(fault.cell, fault.line) for fault in finished.faults]
    assert (0, "after the last cell") in places


@pytest.mark.push
def test_clearing_the_output_hides_nothing(write: Write) -> None:
    finished = run(
        write(f"{COROUTINE}\nimport gc; gc.collect()\nfrom IPython.display import clear_output; clear_output()")
    )

    assert finished.verdict is Verdict.FAILED


def test_an_exception_ends_the_run_and_is_told(write: Write) -> None:
    finished = run(write("x = 1", "raise KeyError('nobody')", "x = 2"))

    assert (finished.verdict, finished.cells, finished.of) == (Verdict.FAILED, 2, 3)
    assert str(finished.faults[0]) == "cell 2 (raise KeyError('nobody')): KeyError: 'nobody'"


@pytest.mark.push
def test_an_exception_that_is_declared_does_not(write: Write) -> None:
    finished = run(write(("raise KeyError('nobody')", {"tags": ["raises-exception"]}), "x = 2"))

    assert (finished.verdict, finished.cells) == (Verdict.PASSED, 2)


def test_a_cell_that_never_ends_is_named_and_its_kernel_is_gone(write: Write) -> None:
    before = psutil.Process().children(recursive=True)
    finished = run(write("x = 1", "while True: pass"), timeout=0.5)

    assert finished.verdict is Verdict.TIMED_OUT
    assert str(finished.faults[0]) == "cell 2 (while True: pass): did not end within 0.5 s"
    assert psutil.Process().children(recursive=True) == before


@pytest.mark.push
def test_a_kernel_that_dies_is_told(write: Write) -> None:
    finished = run(write("import os; os._exit(1)"))

    assert finished.verdict is Verdict.FAILED
    assert finished.faults[0].text == "the kernel died"


def test_a_kernel_that_cannot_start_is_no_fault_of_the_notebook(write: Write) -> None:
    finished = run_notebook(write("x = 1"), kernel=[sys.executable, "-c", "raise SystemExit(1)"])

    assert finished.verdict is Verdict.ENVIRONMENT


def test_the_kernel_is_this_python_with_what_is_exported_and_nobodys_startup_files(write: Write) -> None:
    check = (
        f"import os, sys; assert sys.executable == {sys.executable!r}; assert os.environ['LAB'] == 'yes'\n"
        "assert os.environ['IPYTHONDIR'] not in os.path.expanduser('~/.ipython')\n"
        "assert 'labkit' in get_ipython().extension_manager.loaded"
    )
    finished = run(write(check), environment={"LAB": "yes"})

    assert finished.faults == ()


def test_cells_are_counted_as_they_end(write: Write) -> None:
    counted: list[tuple[Path, int]] = []
    notebook = write("x = 1", "", "x = 2")
    [finished] = run_notebooks(
        [notebook], [{}], kernel=kernel_command(), on_cell=lambda *cells: counted.append(cells)
    )

    assert counted == [(notebook, 1), (notebook, 2)]
    assert finished.cells == count_cells(notebook) == 2


@pytest.mark.push
def test_two_at_once_have_an_environment_each_and_stand_in_the_order_they_were_given(write: Write) -> None:
    notebook = write("import os, pathlib, time", "mine, other = os.environ['MINE'], os.environ['OTHER']", MEET)
    folder = str(notebook.parent)
    environments = [
        {"MINE": f"{folder}/a", "OTHER": f"{folder}/b"},
        {"MINE": f"{folder}/b", "OTHER": f"{folder}/a"},
    ]
    runs = run_notebooks([notebook, notebook], environments, kernel=kernel_command(), timeout=30)

    assert [(each.verdict, each.faults) for each in runs] == [(Verdict.PASSED, ())] * 2


def test_the_executed_notebook_is_written_with_its_outputs_and_no_cell_of_ours(
    write: Write, tmp_path: Path
) -> None:
    output = tmp_path / "executed"
    output.mkdir()
    run(write("40 + 2", "raise KeyError"), output=output)

    executed = nbformat.read(output / "it.ipynb", as_version=4)
    assert executed.cells[0].outputs[0].data["text/plain"] == "42"
    assert executed.cells[1].outputs[0].ename == "KeyError"
    assert len(executed.cells) == 2
