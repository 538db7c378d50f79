"""`%flight` in a notebook: it names the cell and the line, speaks under the cell that leaks, and else is quiet."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from labkit.notebook.kernel import kernel_command
from labkit.recorder.json_format import load

pytestmark = pytest.mark.xdist_group("notebook flight")  # one kernel for all of them

SETUP = """from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
engine = create_async_engine("sqlite+aiosqlite:///{file}")
async def save_user():
    session = AsyncSession(engine)
    await session.execute(text("SELECT 1"))
    return session
"""
BEHAVES = "async with AsyncSession(engine) as session:\n    await session.execute(text('SELECT 1'))"
GOES_ON = """
import asyncio
holds, may_go = asyncio.Event(), asyncio.Event()
async def work():
    async with AsyncSession(engine) as session:
        await session.execute(text("SELECT 1"))
        holds.set()
        await may_go.wait()
task = asyncio.create_task(work())
await holds.wait()
"""


class Kernel:
    """A real kernel; `run` gives what a cell printed, without what Python and SQLAlchemy say of the leak."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client

    def cell(self, source: str) -> list[Any]:
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return list(cell.outputs)

    def run(self, source: str) -> str:
        return "".join(each.get("text", "") for each in self.cell(source) if each.get("name") == "stdout")

    def error(self, source: str) -> str:
        return "".join(each.get("text", "") for each in self.cell(source) if each.get("name") == "stderr")

    def shown(self, source: str) -> dict[str, str]:
        [result] = [each for each in self.cell(source) if each.output_type == "execute_result"]
        return dict(result.data)


@pytest.fixture(scope="module")
def client() -> Iterator[NotebookClient]:
    client = NotebookClient(nbformat.v4.new_notebook(), allow_errors=True, kernel_name="python3")
    client.create_kernel_manager()
    client.km.kernel_spec.argv = kernel_command()
    with client.setup_kernel():
        yield client


@pytest.fixture
def kernel(client: NotebookClient, tmp_path: Path) -> Iterator[Kernel]:
    """Give a kernel with an engine in cell [1], which doesn't record."""
    client.nb.cells.clear()
    kernel = Kernel(client)
    kernel.cell("%flight off\n%flight clear\nget_ipython().execution_count = 1")
    kernel.cell(SETUP.format(file=tmp_path / "notebook.db"))
    yield kernel
    kernel.cell("%flight off\nsession = kept = None\nawait engine.dispose()")


def test_until_it_is_asked_it_says_nothing(kernel: Kernel) -> None:
    assert kernel.run("%flight") == "labkit: not recording; %flight on begins\n"
    assert "labkit" not in kernel.run("await save_user(); None")


def test_a_cell_that_keeps_a_connection_is_told_so_once(kernel: Kernel) -> None:
    kernel.run("%flight on")

    assert kernel.run("kept = await save_user()") == (
        "labkit: connection 1, checked out in cell [1] line 6 (save_user), is still out; %flight report says more\n"
    )
    assert kernel.run("1 + 1; None") == ""


def test_a_cell_that_drops_a_connection_is_told_so(kernel: Kernel) -> None:
    kernel.run("%flight on")
    told = kernel.run("import asyncio\nawait asyncio.gather(save_user(), save_user()); None")

    assert told == (
        "labkit: connection 1, checked out in cell [1] line 6 (save_user), was never given back, and 1 more; "
        "%flight report says more\n"
    )


def test_a_cell_that_behaves_is_told_nothing(kernel: Kernel) -> None:
    kernel.run("%flight on")

    assert kernel.run(BEHAVES) == ""


def test_a_task_that_goes_on_may_hold_its_connection(kernel: Kernel) -> None:
    kernel.run("%flight on")

    assert kernel.run(GOES_ON) == ""
    assert "task Task-" in kernel.run("%flight holders")
    assert kernel.run("may_go.set(); await task") == ""
    assert kernel.run("%flight holders") == "labkit: nobody holds a connection\n"


def test_a_line_of_the_cell_itself_is_named_without_a_function(kernel: Kernel) -> None:
    kernel.run("%flight on")

    told = kernel.run("x = 1\nkept = AsyncSession(engine)\nawait kept.execute(text('SELECT 1')); None")
    assert "checked out in cell [3] line 3, is still out" in told


def test_the_report_the_table_and_the_timeline_name_cells(kernel: Kernel) -> None:
    kernel.run("%flight on")
    kernel.run("kept = await save_user()")

    for view in "report", "table", "timeline":
        shown = kernel.shown(f"%flight {view}")
        assert "cell [1]:6 in save_user" in shown["text/plain"]
        assert "ipykernel_" not in str(shown)
        assert len(shown) > 1
    assert 'by task "cell [3]" on loop #' in " ".join(kernel.shown("%flight report")["text/plain"].split())


def test_in_the_cell_that_begins_it_it_records_already(kernel: Kernel) -> None:
    told = kernel.run("%flight on\nkept = await save_user()")

    assert "connection 1, checked out in cell [1] line 6 (save_user), is still out" in told


def test_off_it_keeps_the_record_and_on_it_begins_a_new_one(kernel: Kernel) -> None:
    kernel.run("%flight on")
    kernel.run(BEHAVES)
    kernel.run("%flight off")
    kernel.run(BEHAVES)

    assert kernel.run("%flight") == "labkit: not recording any more; 1 checkouts, 0 out, 0 findings\n"
    assert kernel.run("%flight on") == "labkit: recording; 0 checkouts, 0 out, 0 findings\n"


def test_cleared_it_goes_on_with_a_new_record(kernel: Kernel) -> None:
    kernel.run("%flight on")
    kernel.run(BEHAVES)

    assert kernel.run("%flight clear") == "labkit: recording; 0 checkouts, 0 out, 0 findings\n"


def test_the_record_can_be_written_into_a_file(kernel: Kernel, tmp_path: Path) -> None:
    kernel.run("%flight on")
    kernel.run(BEHAVES)

    file = tmp_path / "a record.json"
    assert kernel.run(f"%flight json '{file}'") == f"labkit: the record is in {file}\n"
    assert len(load(file.read_text()).checkouts) == 1
    told = kernel.error(f"%flight json {tmp_path}/nowhere/x.json")
    assert (
        told
        == f"UsageError: the record can't be written to {tmp_path}/nowhere/x.json: No such file or directory.\n"
    )


@pytest.mark.parametrize("words", ["frob", "on now", "json", "REPORT"])
def test_a_wrong_word_is_answered_by_what_there_is(kernel: Kernel, words: str) -> None:
    assert kernel.error(f"%flight {words}") == (
        "UsageError: %flight knows on, off, report, timeline, table, holders, clear and json FILE, "
        f"not {words!r}.\n"
    )


def test_without_a_record_there_is_nothing_to_show(kernel: Kernel) -> None:
    assert kernel.error("%flight report") == "UsageError: nothing was recorded yet; %flight on begins.\n"


def test_loaded_twice_it_says_everything_once(kernel: Kernel) -> None:
    kernel.run("%flight on")
    kernel.cell("%load_ext labkit\nget_ipython().extension_manager.loaded.clear()")
    kernel.cell("%load_ext labkit")

    assert kernel.run("kept = await save_user()").count("labkit:") == 1


def test_unloaded_it_listens_no_more_and_comes_back_when_loaded(kernel: Kernel) -> None:
    kernel.run("%flight on")
    kernel.cell("%unload_ext labkit")

    assert "labkit" not in kernel.run("kept = await save_user()")
    assert "not found" in kernel.error("%flight")
    kernel.cell("%load_ext labkit")
    assert "not recording any more" in kernel.run("%flight")


def test_a_leak_in_a_file_is_named_by_file_and_line(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SETUP.format(file=tmp_path / "shop.db"))
    kernel.run(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import shop\n%flight on")

    told = kernel.run("kept = await shop.save_user()")
    kernel.cell("await shop.engine.dispose(); sys.path.remove(sys.path[0]); del sys.modules['shop']")
    assert "checked out in shop.py line 6 (save_user), is still out" in told


def test_loading_the_extension_imports_no_sqlalchemy() -> None:
    source = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell()\n"
        "shell.run_line_magic('load_ext', 'labkit')\n"
        "shell.run_line_magic('flight', '')\n"
        "print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)

    assert done.stdout == "labkit: not recording; %flight on begins\nFalse\n"
