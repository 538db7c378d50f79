"""A server in a container, which is never left behind."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import secrets
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from labkit.errors import CannotStart
from labkit.services import reaper
from labkit.services.docker_engine import last_cause
from labkit.services.ports import LOOPBACK, PortTaken

__all__ = ["Container", "Recipe", "to_the_end"]

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
OWNER_LABEL = "labkit.owner"  # the process that will remove the container
TAKEN = ("port is already allocated", "address already in use")
_REMOVE = Path(__file__).with_name("remove_container.py")


@dataclass(frozen=True)
class Recipe:
    """What to run: the image, its port, its arguments, its variables, and the files it reads."""

    image: str
    port: int
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)


class Container:
    """Run a recipe with its port published on `port` of the loopback interface. The methods block."""

    def __init__(self, client: Any, recipe: Recipe, port: int) -> None:
        self._client = client
        self._recipe = recipe
        self._port = port
        self.name = f"labkit-{secrets.token_hex(6)}"
        self._container: Any = None
        # An impatient cancellation may ask for the removal while the engine is still making the container.
        self._making = threading.Lock()
        self._removal = json.dumps([sys.executable, "-P", str(_REMOVE), self.name])

    def create(self) -> None:
        """Make the container and start it; raises `PortTaken` or `CannotStart`."""
        from testcontainers.core.labels import create_labels

        # Kept under its name before it is made, so that there is no moment at which it could be left behind.
        reaper.keep("command", self._removal)
        recipe = self._recipe
        with self._making, self._refusals():
            self._container = self._client.client.containers.create(
                recipe.image,
                list(recipe.command),
                name=self.name,
                environment=dict(recipe.environment),
                ports={f"{recipe.port}/tcp": (LOOPBACK, self._port)},
                labels=create_labels(recipe.image, {OWNER_LABEL: str(os.getpid())}),
            )
            self._container.put_archive("/", _packed(recipe.files))
            self._container.start()

    def start(self) -> None:
        """Start the container again after `kill`."""
        with self._refusals():
            self._container.start()

    def kill(self) -> None:
        """Kill the server and wait until it is gone."""
        with self._refusals():
            self._container.kill()
            self._container.wait()

    def check(self) -> None:
        """Raise `CannotStart`, with the server's own last words, if the container has stopped."""
        with self._refusals():
            self._container.reload()
            if self._container.status in ("created", "running"):
                return
            words = self._container.logs(tail=20).decode(errors="replace").strip() or "nothing."
        raise CannotStart(
            f"A container of {self._recipe.image} was to start and stopped, saying: {words.splitlines()[-1]}",
            remedy="Check that the image is the one meant: LABKIT_MYSQL_IMAGE, LABKIT_REDIS_IMAGE.",
        )

    def remove(self) -> None:
        """Remove the container with its volumes; if that fails, the reaper tries again when this process ends."""
        from docker.errors import DockerException, NotFound

        try:
            with self._making:
                self._client.client.containers.get(self.name).remove(force=True, v=True)
        except NotFound:
            pass
        except (DockerException, OSError) as fault:
            logger.warning("the container %s could not be removed: %s", self.name, last_cause(fault))
            return
        reaper.release("command", self._removal)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        from docker.errors import DockerException

        try:
            yield
        except (DockerException, OSError) as fault:
            text = last_cause(fault)
            if any(sign in text for sign in TAKEN):
                raise PortTaken(f"Port {self._port} was wanted for {self._recipe.image} and is taken.") from fault
            raise CannotStart(
                f"A container of {self._recipe.image} was wanted, found: {text}.",
                remedy=f"Try `docker run --rm {self._recipe.image}`.",
            ) from fault


def _packed(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(str(PurePosixPath(path).relative_to("/")))
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


async def to_the_end(call: Callable[[], Answer]) -> Answer:
    """Run a blocking call in a thread; a cancellation waits for its end, so that what it made is known."""
    task = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            await asyncio.wait([task])
