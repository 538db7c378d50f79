"""The kernel that notebooks run on: this very Python, with the `labkit` extension, installed nowhere."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from pathlib import Path

__all__ = ["kernel_command", "write_kernel_spec"]


def kernel_command(*options: str) -> list[str]:
    """Return the command line of a kernel, as Jupyter's kernel specifications want it."""
    python = [sys.executable, "-Xfrozen_modules=off"]  # as ipykernel's own: the debugger needs it
    return [*python, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--ext=labkit", *options]


def write_kernel_spec(folder: Path) -> None:
    """
    Write the specification into `folder`, which Jupyter reads when it stands in JUPYTER_PATH.

    It is called python3: notebooks name that kernel, and JUPYTER_PATH comes before what is installed.
    """
    from ipykernel.kernelspec import RESOURCES

    home = folder / "kernels" / "python3"
    shutil.copytree(RESOURCES, home)
    specification = {
        "argv": kernel_command(),
        "display_name": f"labkit (Python {platform.python_version()})",
        "language": "python",
        "metadata": {"debugger": True, "supported_encryption": "curve"},
    }
    (home / "kernel.json").write_text(json.dumps(specification, indent=1))
