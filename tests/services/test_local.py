"""The provider `local`, and what `containers` has in common with it: real servers that can be restarted."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
import redis.asyncio
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from labkit.errors import CannotStart
from labkit.services import Capability, Services, mysqld, ports, probe, server_process, start_services

needs_local = pytest.mark.skipif(not probe("local").found, reason="no servers on this machine")
pytestmark = pytest.mark.push


@asynccontextmanager
async def connected(services: Services) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(services.database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


@pytest.mark.needs(Capability.RESTART)
async def test_mysql_killed_and_started_again_has_the_same_port_and_what_was_committed(
    clean_services: Services,
) -> None:
    services = clean_services
    async with connected(services) as connection:
        await connection.execute(text("CREATE TABLE kept (n INT)"))
        await connection.execute(text("INSERT INTO kept VALUES (42)"))

    await services.control.stop("mysql")
    with pytest.raises(OperationalError):
        async with connected(services):
            pass
    await services.control.start("mysql")

    async with connected(services) as connection:
        assert (await connection.execute(text("SELECT n FROM kept"))).scalars().all() == [42]


@pytest.mark.needs(Capability.RESTART)
async def test_redis_killed_and_started_again_has_the_same_port_and_no_keys(clean_services: Services) -> None:
    async with redis.asyncio.Redis.from_url(clean_services.redis_url) as client:
        await client.set("lost", "1")
    await clean_services.control.stop("redis")
    async with redis.asyncio.Redis.from_url(clean_services.redis_url) as client:
        with pytest.raises(redis.exceptions.ConnectionError):
            await client.ping()

    await clean_services.control.start("redis")

    async with redis.asyncio.Redis.from_url(clean_services.redis_url) as client:
        assert await client.get("lost") is None


@pytest.mark.needs(Capability.RESTART)
def test_servers_can_be_restarted_from_any_loop(services: Services) -> None:
    for _ in range(2):
        asyncio.run(services.control.stop("redis"))
        asyncio.run(services.control.start("redis"))


@pytest.mark.needs(Capability.RESTART)
@pytest.mark.parametrize("name", ["la-b", "la'b", "la`b", 'la"b', "la b"])
async def test_the_provider_url_takes_any_name_of_a_database(
    clean_services: Services, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quoted = name.replace("`", "``")
    url = make_url(clean_services.database_url).set(database=name).render_as_string(hide_password=False)
    async with connected(clean_services) as connection:
        await connection.exec_driver_sql(f"CREATE DATABASE `{quoted}`")
    monkeypatch.setenv("LABKIT_DATABASE_URL", url)
    monkeypatch.setenv("LABKIT_REDIS_URL", clean_services.redis_url)

    async with start_services("url") as services, connected(services) as connection:
        assert (await connection.exec_driver_sql("SELECT DATABASE()")).scalar_one() == name
        await connection.exec_driver_sql(f"DROP DATABASE `{quoted}`")


@pytest.mark.needs(Capability.RESTART)
async def test_the_provider_url_takes_any_password(
    clean_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "s@:/%'\"\\ +"
    async with connected(clean_services) as connection:
        await connection.execute(text("CREATE USER 'odd'@'%' IDENTIFIED BY :password"), {"password": password})
        await connection.exec_driver_sql("GRANT ALL ON labkit.* TO 'odd'@'%%'")
    async with redis.asyncio.Redis.from_url(clean_services.redis_url) as client:
        await client.acl_setuser("odd", enabled=True, passwords=[f"+{password}"], commands=["+@all"], keys=["*"])
    url = make_url(clean_services.database_url).set(username="odd", password=password)
    monkeypatch.setenv("LABKIT_DATABASE_URL", url.render_as_string(hide_password=False))
    monkeypatch.setenv(
        "LABKIT_REDIS_URL", f"redis://odd:{quote(password)}@{clean_services.redis_url.split('@')[1]}"
    )

    async with start_services("url") as services:
        assert (services.versions.keys(), password in repr(services)) == (clean_services.versions.keys(), False)
    async with connected(clean_services) as connection:
        await connection.exec_driver_sql("DROP USER 'odd'@'%%'")


def quote(password: str) -> str:
    from urllib.parse import quote

    return quote(password, safe="")


@needs_local
async def test_the_servers_listen_on_loopback_only_and_show_no_password() -> None:
    before = {process.pid for process in psutil.process_iter()}
    async with start_services("local") as services:
        ours = [process for process in psutil.process_iter(["cmdline"]) if process.pid not in before]
        shown = "\n".join(" ".join(process.info["cmdline"] or ()) for process in ours)
        named = {make_url(services.database_url).port, make_url(services.redis_url).port}
        listening = {
            found.laddr
            for found in psutil.net_connections("inet")
            if found.pid in {process.pid for process in ours} and found.status == psutil.CONN_LISTEN
        }

    assert {address.port for address in listening} >= named
    assert {address.ip for address in listening if address.port in named} == {"127.0.0.1"}
    assert make_url(services.database_url).password not in shown
    assert make_url(services.redis_url).password not in shown


@needs_local
async def test_passwords_and_ports_are_others_at_each_start() -> None:
    urls = set()
    for _ in range(2):
        async with start_services("local") as services:
            urls |= {services.database_url, services.redis_url}

    assert len(urls) == 4


@needs_local
async def test_a_long_temporary_folder_does_not_make_the_socket_path_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))

    async with start_services("local"):
        pass

    assert list(deep.iterdir()) == []


@needs_local
@pytest.mark.full
async def test_a_port_that_was_taken_meanwhile_is_left_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        taken = other.getsockname()[1]
        offered = [taken, ports.free_port(), taken, ports.free_port()]
        monkeypatch.setattr(ports, "free_port", lambda: offered.pop(0))

        async with start_services("local") as services:
            used = {make_url(services.database_url).port, make_url(services.redis_url).port}

    assert (taken in used, offered) == (False, [])


@needs_local
@pytest.mark.full
async def test_no_free_port_is_told_in_the_servers_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        monkeypatch.setattr(ports, "free_port", lambda: other.getsockname()[1])

        with pytest.raises(CannotStart, match="Address already in use"):
            async with start_services("local"):
                pass

    assert list(tmp_path.iterdir()) == []


@needs_local
async def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "bin" / "mysqld"
    silent.parent.mkdir()
    silent.write_text(
        '#!/bin/sh\ncase "$*" in *--version*) echo Ver 9.9.9;; *initialize*) ;; *) exec sleep 60;; esac\n'
    )
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{silent.parent}:/usr/bin:/bin")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(mysqld, "START_LIMIT", 0.3)

    with pytest.raises(CannotStart, match=r"mysqld was to answer within 0\.3 s"):
        async with start_services("local"):
            pass

    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_a_missing_binary_is_named_with_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(server_process, "ELSEWHERE", ())
    monkeypatch.setattr(server_process.sys, "executable", str(tmp_path / "python"))

    found = probe("local")

    assert (found.found, found.reason) == (False, "neither mysqld nor mariadbd was found.")
    assert "mysql-server" in found.remedy


@needs_local
async def test_what_the_name_says_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "mysqld"
    program.write_text("#!/bin/sh\necho mysqld Ver 10.11.9-MariaDB for Linux\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(
        server_process, "ELSEWHERE", (str(Path(shutil.which("redis-server") or "/usr/bin/x").parent),)
    )

    assert mysqld.find_mysqld().kind == "mariadb"
