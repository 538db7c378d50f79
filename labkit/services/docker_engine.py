"""The Docker engine of this machine: is it there, may we use it, has it the images."""

from __future__ import annotations

import asyncio
import threading
import traceback
import warnings
from typing import Any

from labkit.errors import CannotStart
from labkit.settings import install_command

__all__ = ["connect", "last_cause", "missing_images", "pull"]

PATIENCE = 60  # seconds for one answer of the engine
CHOICE = "or use the provider embedded or local"


def connect(*, timeout: float = PATIENCE) -> Any:
    """
    Return Testcontainers' client, which finds the engine as the `docker` command does.

    Raises `CannotStart` saying which of the usual causes it is.
    """
    try:
        from docker.errors import DockerException
        from testcontainers.core.docker_client import DockerClient
    except ModuleNotFoundError as missing:
        raise CannotStart(f"The package {missing.name} is missing.", remedy=install_command()) from missing
    try:
        return DockerClient(timeout=timeout)
    except (DockerException, OSError, ValueError) as fault:
        refused = _refused(fault)
        _close_sockets(fault)
        raise refused from fault


def _close_sockets(fault: BaseException | None) -> None:
    """Close the socket that the Docker client opens and leaves in its frames when no engine answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        while fault is not None:
            traceback.clear_frames(fault.__traceback__)
            fault = fault.__cause__ or fault.__context__


def _refused(fault: Exception) -> CannotStart:
    if "Permission denied" in str(fault):
        return CannotStart(
            "Docker is here, and this user may not use it.",
            remedy=f"sudo usermod -aG docker $USER, then log in again; {CHOICE}.",
        )
    return CannotStart(
        f"No Docker engine answers: {last_cause(fault)}.",
        remedy=f"Start Docker (`docker info` must answer), {CHOICE}.",
    )


def last_cause(fault: BaseException) -> str:
    """Return what lies at the bottom of the libraries' nested errors, in one line."""
    explanation = getattr(fault, "explanation", None)
    while fault.__cause__ or fault.__context__:
        fault = fault.__cause__ or fault.__context__ or fault
    return " ".join(str(explanation or fault).split()).rstrip(".")


def missing_images(client: Any, *images: str) -> list[str]:
    """Return those of `images` that the engine would have to pull."""
    from docker.errors import ImageNotFound

    def is_missing(image: str) -> bool:
        try:
            client.client.images.get(image)
        except ImageNotFound:
            return True
        return False

    return [image for image in images if is_missing(image)]


async def pull(client: Any, image: str) -> None:
    """Pull `image`; a cancellation does not wait for the rest of it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def work() -> None:
        try:
            client.client.images.pull(image)
        except Exception as fault:
            outcome = CannotStart(
                f"The image {image} is not on this machine and can't be pulled: {last_cause(fault)}.",
                remedy=f"Try `docker pull {image}`.",
            )
            _tell(loop, done, outcome)
        else:
            _tell(loop, done, None)

    # A thread of the loop's own executor would have to end before the loop could close.
    threading.Thread(target=work, name=f"pull {image}", daemon=True).start()
    await done


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None], fault: Exception | None) -> None:
    def settle() -> None:
        if done.done():
            return
        if fault is None:
            done.set_result(None)
        else:
            done.set_exception(fault)

    if not loop.is_closed():
        loop.call_soon_threadsafe(settle)
