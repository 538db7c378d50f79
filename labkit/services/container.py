"""A server in a container, which is never left behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from labkit.errors import CannotStart
from labkit.process import reaper
from labkit.services.docker_engine import last_cause
from labkit.services.ports import LOOPBACK, PortTaken

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

__all__ = ["Container", "to_the_end"]

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
OWNER_LABEL = "labkit.owner"  # the process that will remove the container
TAKEN = ("port is already allocated", "address already in use")
_REMOVE = Path(__file__).with_name("remove_container.py")


class Container:
    """Run one of Testcontainers' containers with its port published on `port` of the loopback interface only."""

    def __init__(self, client: Any, made: DockerContainer, port: int) -> None:
        self._client = client
        self._made = made
        self._port = port
        self.name = f"labkit-{secrets.token_hex(6)}"
        # An impatient cancellation may ask for the removal while the engine is still making the container.
        self._making = threading.Lock()
        self._removal = json.dumps({"command": [sys.executable, "-P", str(_REMOVE), self.name]})
        made.with_name(self.name).with_kwargs(labels={OWNER_LABEL: str(os.getpid())})
        # The library's own way to publish a port opens it to the whole network; its engine's client knows better.
        made.ports = dict.fromkeys(made.ports, cast(Any, (LOOPBACK, port)))

    def create(self) -> None:
        """Make the container and start it; raises `PortTaken` or `CannotStart`. It blocks, as the others do."""
        # Kept under its name before it is made, so that there is no moment at which it could be left behind.
        reaper.keep("command", self._removal)
        with self._making, self._refusals(), _without_ryuk():
            self._made.start()

    def start(self) -> None:
        """Start the container again after `kill`."""
        with self._refusals():
            self._made.get_wrapped_container().start()

    def kill(self) -> None:
        """Kill the server and wait until it is gone."""
        with self._refusals():
            self._made.get_wrapped_container().kill()
            self._made.get_wrapped_container().wait()

    def check(self) -> None:
        """Raise `CannotStart`, with the server's own last words, if the container has stopped."""
        with self._refusals():
            container = self._made.get_wrapped_container()
            container.reload()
            if container.status in ("created", "running"):
                return
            words = container.logs(tail=20).decode(errors="replace").strip() or "nothing."
        raise CannotStart(
            f"A container of {self._made.image} was to start and stopped, saying: {words.splitlines()[-1]}",
            remedy="Check that the image is the one meant: LABKIT_MYSQL_IMAGE, LABKIT_REDIS_IMAGE.",
        )

    def remove(self) -> None:
        """Remove the container with its volumes; if that fails, the reaper tries again when this process ends."""
        from docker.errors import DockerException, NotFound

        self._made.get_docker_client().client.close()
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
                raise PortTaken(f"Port {self._port}, for {self._made.image}, is taken.") from fault
            raise CannotStart(
                f"Expected a container of {self._made.image}, got: {text}.",
                remedy=f"Try `docker run --rm {self._made.image}`.",
            ) from fault


@contextmanager
def _without_ryuk() -> Iterator[None]:
    # Testcontainers' own reaper is one more image to pull; ours ends containers, processes and folders alike.
    from testcontainers.core.config import testcontainers_config as config

    was, config.ryuk_disabled = config.ryuk_disabled, True
    try:
        yield
    finally:
        config.ryuk_disabled = was


async def to_the_end(call: Callable[[], Answer]) -> Answer:
    """Run a blocking call in a thread; a cancellation waits for its end, so that what it made is known."""
    task = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(task)
    finally:
        if not task.done():
            await asyncio.wait([task])
