"""The extension makes a cell answer for what it leaves behind."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

import labkit
from labkit.notebook import load_ipython_extension, unload_ipython_extension

LEAK = """
class Leak:
    def __init__(self): self.me = self
    def __del__(self): told.append('collected')
Leak(); None
"""


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """Give a shell without history files, which leaves nothing in the process behind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell = InteractiveShell()
        shell.history_manager.enabled = False
    collecting = gc.isenabled()
    gc.disable()
    with warnings.catch_warnings():
        yield shell
    if collecting:
        gc.enable()


def play(shell: InteractiveShell) -> list[str]:
    told: list[str] = []
    shell.user_ns["told"] = told
    shell.run_cell(LEAK).raise_error()
    return list(told)


def test_without_it_a_leak_waits_for_the_collector(shell: InteractiveShell) -> None:
    assert play(shell) == []


def test_with_it_the_leak_is_collected_under_its_cell(shell: InteractiveShell) -> None:
    load_ipython_extension(shell)

    assert play(shell) == ["collected"]


def test_unloaded_it_does_nothing_more(shell: InteractiveShell) -> None:
    load_ipython_extension(shell)
    unload_ipython_extension(shell)

    assert play(shell) == []


def test_it_turns_on_what_python_hides(shell: InteractiveShell) -> None:
    warnings.simplefilter("ignore")
    load_ipython_extension(shell)
    with warnings.catch_warnings(record=True) as told:
        for _ in range(2):
            warnings.warn("unclosed socket", ResourceWarning, stacklevel=1)
            warnings.warn("coroutine 'f' was never awaited", RuntimeWarning, stacklevel=1)
            warnings.warn("something else", UserWarning, stacklevel=1)

    assert [str(each.message) for each in told] == ["unclosed socket", "coroutine 'f' was never awaited"] * 2


def test_the_package_is_the_extension() -> None:
    assert labkit.load_ipython_extension is load_ipython_extension
