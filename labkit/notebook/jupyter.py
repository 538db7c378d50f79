"""JupyterLab on the notebooks, with servers for its kernels; when it ends, nothing of it is left."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from labkit.course.contents import CONTENTS
from labkit.errors import CannotStart
from labkit.notebook.kernel import write_kernel_spec
from labkit.process import Program, private_folder

__all__ = ["check_port", "run_jupyterlab"]

LOOPBACK = "127.0.0.1"
GRACE = 10.0  # seconds for JupyterLab to end its kernels and itself


def run_jupyterlab(
    notebooks: Path,
    *,
    environment: Mapping[str, str],
    port: int | None = None,
    browser: bool = True,
    arguments: Sequence[str] = (),
) -> int:
    """
    Run JupyterLab on the folder `notebooks` until it ends, and return its exit status.

    It listens on loopback only, and wants its token. Kernels get `environment` and the `labkit` extension. What
    interrupts the wait, Ctrl-C or a signal's handler, ends JupyterLab and its kernels and is raised again.
    """
    with private_folder() as folder:
        write_kernel_spec(folder)
        _write_defaults(folder)
        ours = {**os.environ, **environment}
        for path in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
            ours[path] = _before(str(folder), os.environ.get(path))
        jupyterlab = Program(
            _command(notebooks, port, browser, arguments),
            env=ours,
            stdin=subprocess.DEVNULL,
            session=True,  # on Ctrl-C, Jupyter would ask in the terminal whether one is sure
            grace=GRACE,  # JupyterLab ends its kernels first
        )
        try:
            return jupyterlab.wait()
        finally:
            jupyterlab.end()


def _write_defaults(folder: Path) -> None:
    # Not the first thing that a learner sees: the question whether one wants news of Jupyter.
    defaults = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
    (folder / "labconfig").mkdir()
    (folder / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(defaults))


def _command(notebooks: Path, port: int | None, browser: bool, arguments: Sequence[str]) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={notebooks}",
        f"--ServerApp.ip={LOOPBACK}",
    ]
    if (notebooks / CONTENTS).exists():
        command.append(f"--LabApp.default_url=/lab/tree/{CONTENTS}")
    # Code and results go encrypted to the kernels, where Jupyter can.
    command.append("--KernelManager.transport_encryption=auto")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container one is root, and no other machine can reach loopback
    return [*command, *arguments]


def check_port(port: int) -> None:
    """Raise `CannotStart` if another process listens on `port`: better known before servers are started."""
    with socket.socket() as probe:
        if sys.platform != "win32":  # where it would take a port that another one listens on
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as fault:
            raise CannotStart(
                f"JupyterLab was to listen on port {port}: {fault.strerror}.",
                remedy="Choose another one, or leave out --port.",
            ) from None


def _before(folder: str, others: str | None) -> str:
    return os.pathsep.join(filter(None, (folder, others)))
