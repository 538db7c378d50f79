"""The kernel is this very Python, and needs no installation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from labkit.notebook.kernel import kernel_command, write_kernel_spec


@pytest.mark.learner_path
def test_it_is_this_python_with_the_extension() -> None:
    command = kernel_command("--an-option")

    assert command[0] == sys.executable
    assert "{connection_file}" in command
    assert command[-2:] == ["--ext=labkit", "--an-option"]


@pytest.mark.learner_path
def test_jupyter_takes_it_for_python3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kernel_spec(tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = KernelSpecManager().get_kernel_spec("python3")

    assert found.argv == kernel_command()
    assert found.display_name.startswith("labkit (Python 3.")
    assert json.loads((tmp_path / "kernels" / "python3" / "kernel.json").read_text())["language"] == "python"
