"""`labkit lab`: JupyterLab, with servers."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer

from labkit.cli.extra import lab_extra
from labkit.cli.options import ProviderName

__all__ = ["lab"]


def lab(
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGS…]", help="Passed to JupyterLab.")
    ] = None,
    provider: ProviderName = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port; without it, the first free one from 8888.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
) -> None:
    """
    Open JupyterLab on the notebooks, with MySQL and Redis for them.

    It listens on this machine only. Ctrl-C ends JupyterLab, its kernels and the servers.

    **Examples**

    - `labkit lab`

    - `labkit lab --provider containers --port 9000 --no-browser`
    """
    from labkit.course.lessons import find_checkout
    from labkit.services import services_in_thread

    notebooks = find_checkout() / "notebooks"
    with lab_extra():
        for package in ("jupyterlab", "ipykernel"):
            metadata.version(package)

        from labkit.notebook import environment_for_kernels
        from labkit.notebook.jupyter import check_port, run_jupyterlab
    if port is not None:
        check_port(port)
    with services_in_thread(provider) as services:
        print(f"labkit: {services.provider} is running for the notebooks; Ctrl-C ends everything", file=sys.stderr)
        status = run_jupyterlab(
            notebooks,
            environment=environment_for_kernels(services),
            port=port,
            browser=browser,
            arguments=arguments or (),
        )
    raise typer.Exit(status)
