"""The provider `local`: servers found on this machine, run on private folders and ports."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import TypeVar

from labkit.process import private_folder
from labkit.services.mysqld import Mysqld, find_mysqld, install, new_password
from labkit.services.ports import on_free_port
from labkit.services.provider import Probe, Provider
from labkit.services.redis_server import RedisServer, find_redis
from labkit.services.services import CAPABILITIES, Control, Services
from labkit.settings import Settings

__all__ = ["LOCAL"]

AnyServer = TypeVar("AnyServer", Mysqld, RedisServer)
ROOM = 300  # megabytes that the data folder needs


def look(settings: Settings) -> Probe:
    """Look for both servers on this machine."""
    if os.name != "posix":
        return _missing("it needs Linux or macOS.", "Use the provider embedded or containers.")
    mysqld, redis = find_mysqld(), find_redis()
    if mysqld is None:
        return _missing("neither mysqld nor mariadbd was found.", "conda install -c conda-forge mysql-server")
    if mysqld.kind == "mariadb" and mysqld.installer is None:
        return _missing(
            "mariadbd was found, mariadb-install-db was not.", "Install MariaDB's server package whole."
        )
    if redis is None:
        return _missing(
            "neither redis-server nor valkey-server was found.", "conda install -c conda-forge redis-server"
        )
    return Probe("local", True, version=f"{mysqld.kind} {mysqld.version}, redis {redis.version}")


def _missing(reason: str, remedy: str) -> Probe:
    return Probe("local", False, reason=reason, remedy=remedy)


@asynccontextmanager
async def start(settings: Settings) -> AsyncIterator[Services]:
    """Start both servers in a private folder."""
    look(settings).require()
    mysqld_program, redis_program = find_mysqld(), find_redis()
    assert mysqld_program is not None
    assert redis_program is not None
    with private_folder(ROOM) as folder, ExitStack() as stack:
        redis = await _start(lambda port: RedisServer(redis_program, folder, port, new_password()), stack)
        await install(mysqld_program, folder)
        mysqld = await _start(lambda port: Mysqld(mysqld_program, folder, port, new_password()), stack)
        yield Services(
            "local",
            mysqld.url,
            redis.url,
            versions=dict([mysqld.version, ("redis", redis.version)]),
            capabilities=CAPABILITIES["local"],
            control=Control(mysql=mysqld, redis=redis),
        )


async def _start(make: Callable[[int], AnyServer], stack: ExitStack) -> AnyServer:
    async def start_on(port: int) -> AnyServer:
        server = make(port)
        stack.callback(server.kill)
        await server.start()
        return server

    return await on_free_port(start_on)


LOCAL = Provider(
    "local",
    "mysqld or mariadbd, and redis-server or valkey-server, found on this machine",
    look,
    start,
)
