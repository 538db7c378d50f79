"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Json", "ProviderName"]

ProviderName = Annotated[
    str | None,
    typer.Option(
        "--provider",
        "-p",
        metavar="P",
        envvar="LABKIT_PROVIDER",
        help="Where MySQL and Redis come from: embedded (default), local, containers, url or sqlite.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
