"""The provider `containers`: MySQL and Redis from their images, through Testcontainers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from labkit.errors import CannotStart
from labkit.services.container import Container, to_the_end
from labkit.services.docker_engine import connect, missing_images, pull
from labkit.services.login import ATTEMPT, database_version, redis_version, until_ready
from labkit.services.mysqld import database_url, new_password
from labkit.services.ports import on_free_port
from labkit.services.provider import Probe, Provider
from labkit.services.redis_server import redis_url
from labkit.services.services import CAPABILITIES, Control, Services
from labkit.settings import Settings

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

__all__ = ["CONTAINERS"]

START_LIMIT = 120.0
LOOK_LIMIT = 5.0


def look(settings: Settings) -> Probe:
    """Ask the engine who it is and which of the images it has."""
    images = settings.mysql_image, settings.redis_image
    try:
        client = connect(timeout=LOOK_LIMIT)
    except CannotStart as fault:
        return Probe("containers", False, reason=fault.message, remedy=fault.remedy)
    try:
        engine = client.client.version()["Version"]
        missing = missing_images(client, *images)
    finally:
        client.client.close()
    there = ", ".join(f"{image} (to be pulled)" if image in missing else image for image in images)
    return Probe("containers", True, version=f"Docker {engine}: {there}")


@asynccontextmanager
async def start(settings: Settings) -> AsyncIterator[Services]:
    """Start both containers; their ports are published on the loopback interface only."""
    async with AsyncExitStack() as stack:
        client = await to_the_end(connect)
        stack.callback(client.client.close)
        for image in await to_the_end(lambda: missing_images(client, settings.mysql_image, settings.redis_image)):
            await pull(client, image)
        mysql = await _run(client, stack, _mysql(settings.mysql_image, new_password()))
        redis = await _run(client, stack, _redis(settings.redis_image, new_password()))
        await mysql.wait()
        await redis.wait()
        yield Services(
            "containers",
            mysql.url,
            redis.url,
            versions={**mysql.versions, **redis.versions},
            capabilities=CAPABILITIES["containers"],
            control=Control(mysql=mysql, redis=redis),
        )


@dataclass(frozen=True)
class _Kind:
    """What to run, from which image, and how to find and ask it."""

    image: str
    make: Callable[[], DockerContainer]
    url: Callable[[int], str]
    ask: Callable[[str], Awaitable[dict[str, str]]]


class _ContainerServer:
    """A server that can be stopped and started again, on the same port with the same data."""

    def __init__(self, container: Container, kind: _Kind, port: int) -> None:
        self.url = kind.url(port)
        self.versions: dict[str, str] = {}
        self._container = container
        self._kind = kind

    async def wait(self) -> None:
        """Wait until the server answers a login."""
        self.versions = await until_ready(self._kind.image, self._login, timeout=START_LIMIT)

    async def start(self) -> None:
        """Start the server again and wait until it answers a login."""
        await to_the_end(self._container.start)
        await self.wait()

    async def stop(self) -> None:
        """Kill the server."""
        await to_the_end(self._container.kill)

    async def _login(self) -> dict[str, str]:
        await to_the_end(self._container.check)
        return await self._kind.ask(self.url)


async def _run(client: Any, stack: AsyncExitStack, kind: _Kind) -> _ContainerServer:
    async def run_on(port: int) -> _ContainerServer:
        container = Container(client, kind.make(), port)
        stack.push_async_callback(to_the_end, container.remove)
        await to_the_end(container.create)
        return _ContainerServer(container, kind, port)

    return await on_free_port(run_on)


def _mysql(image: str, password: str) -> _Kind:
    from labkit.services.images import mysql_container

    async def ask(url: str) -> dict[str, str]:
        return dict([await database_version(url, timeout=ATTEMPT)])

    return _Kind(image, partial(mysql_container, image, password), lambda port: database_url(port, password), ask)


def _redis(image: str, password: str) -> _Kind:
    from labkit.services.images import redis_container

    async def ask(url: str) -> dict[str, str]:
        return {"redis": await redis_version(url, timeout=ATTEMPT)}

    return _Kind(image, partial(redis_container, image, password), lambda port: redis_url(port, password), ask)


CONTAINERS = Provider("containers", "the images mysql:9.7 and redis:8, on Docker", look, start)
