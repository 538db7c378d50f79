"""
What can't work is refused in one line: what was expected, what it got, what to do.

Each case runs the command from outside: exit status 2, nothing left running, no file left, no password printed.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from labkit.errors import CannotStart
from labkit.services import Capability, Services, docker_engine, provider_names

if TYPE_CHECKING:
    from conftest import Outside

SECRET = "s3cret@:/%"
QUOTED = "s3cret%40%3A%2F%25"
Refuse = Callable[..., str]
as_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux")

NOTHING = ["true"] if shutil.which("true") else [sys.executable, "-c", "pass"]
needs_local = pytest.mark.skipif(
    not all(map(shutil.which, ("redis-server", "mariadb-install-db"))),
    reason="stubs of MariaDB and Redis stand beside real ones",
)


@pytest.fixture
def refuse(outside: Outside) -> Refuse:
    """Run `labkit services exec` in vain and return the one line that it printed."""

    def refuse(provider: str, *, through: tuple[str, ...] = (), **variables: str) -> str:
        command = [sys.executable, "-m", "labkit", "services", "exec", "-p", provider, "--", *NOTHING]
        process = outside.run([*through, *command], **variables)
        out, error = process.communicate(timeout=60)

        assert (process.returncode, out, outside.leftovers()) == (2, "", []), error
        assert SECRET not in error
        assert QUOTED not in error
        [line] = error.splitlines()
        return line

    return refuse


def url_variables(database: str = "", redis: str = "") -> dict[str, str]:
    return {
        "LABKIT_DATABASE_URL": database or f"mysql+asyncmy://lab:{QUOTED}@127.0.0.1:1/lab",
        "LABKIT_REDIS_URL": redis or f"redis://:{QUOTED}@127.0.0.1:1/0",
    }


def test_an_unknown_provider_is_refused_naming_the_nearest(refuse: Refuse) -> None:
    line = refuse("contaners")

    assert line.startswith("labkit: There is no provider 'contaners'. Did you mean 'containers'?")
    assert all(name in line for name in provider_names())


def test_an_unreachable_database_is_named_without_its_password(refuse: Refuse) -> None:
    line = refuse("url", **url_variables())

    assert "mysql+asyncmy://lab:***@127.0.0.1:1/lab" in line
    assert "Can't connect" in line


def test_an_unreachable_redis_is_named_without_its_password(refuse: Refuse, tmp_path: Path) -> None:
    line = refuse("url", **url_variables(database=f"sqlite+aiosqlite:///{tmp_path}/lab.db"))

    assert "redis://:***@127.0.0.1:1/0" in line
    assert "connecting to 127.0.0.1:1" in line


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, "needs LABKIT_DATABASE_URL and LABKIT_REDIS_URL: not set"),
        (url_variables("mysql://lab:s3cret%40%3A%2F%25@127.0.0.1/lab"), "the driver 'mysql'"),
        (url_variables("mysql+pymysql://lab:s3cret%40%3A%2F%25@127.0.0.1/lab"), "the driver 'mysql+pymysql'"),
        (url_variables("mysql+asyncmy://lab:s3cret%40%3A%2F%25@127.0.0.1"), "names no database"),
        (url_variables(f"lab:{SECRET}"), "LABKIT_DATABASE_URL can't be read"),
        (url_variables(f"mysql+asyncmy://lab:{SECRET}@127.0.0.1:x/lab"), "LABKIT_DATABASE_URL can't be read"),
        (url_variables(redis="http://:s3cret%40%3A%2F%25@127.0.0.1"), "LABKIT_REDIS_URL can't be read"),
        (url_variables(redis=f"redis://:{SECRET}@127.0.0.1:x/0"), "LABKIT_REDIS_URL can't be read"),
    ],
)
def test_a_wrong_url_is_refused_before_anything_is_sent(
    refuse: Refuse, variables: dict[str, str], found: str
) -> None:
    assert found in refuse("url", **variables)


@pytest.mark.needs(Capability.RESTART)
def test_a_refused_login_and_an_unknown_database_are_told_in_the_servers_words(
    refuse: Refuse, services: Services
) -> None:
    url = make_url(services.database_url)
    wrong_password = url.set(password=SECRET).render_as_string(hide_password=False)
    wrong_database = url.set(database="la`b-").render_as_string(hide_password=False)

    assert "Access denied for user 'lab'" in refuse("url", **url_variables(wrong_password, services.redis_url))
    assert "Unknown database 'la`b-'" in refuse("url", **url_variables(wrong_database, services.redis_url))
    wrong_login = services.redis_url.replace("redis://:", "redis://:x")
    assert "invalid username-password" in refuse("url", **url_variables(services.database_url, wrong_login))


def test_a_temporary_folder_that_is_not_there_is_named(refuse: Refuse, tmp_path: Path) -> None:
    line = refuse("sqlite", TMPDIR=f"{tmp_path}/missing")

    assert f"can't be made in {tmp_path}/missing: No such file or directory" in line


@pytest.mark.parametrize("local_provider", ["embedded", pytest.param("local", marks=needs_local), "sqlite"])
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_a_temporary_folder_that_cannot_be_written_is_named(refuse: Refuse, local_provider: str) -> None:
    line = refuse(local_provider, TMPDIR="/proc")

    assert "A temporary folder can't be made in /proc:" in line
    assert "Set TMPDIR" in line


@pytest.mark.push
@as_root
@pytest.mark.parametrize(("options", "found"), [("size=4m", "got 4 MB"), ("size=40m,ro", "Read-only file system")])
@pytest.mark.parametrize("local_provider", ["embedded", "local", "sqlite"])
def test_a_full_or_read_only_temporary_folder_is_named(
    refuse: Refuse, local_provider: str, options: str, found: str, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = f'mount -t tmpfs -o {options} none {small} && exec "$@"'

    assert found in refuse(
        local_provider, through=("unshare", "--mount", "sh", "-c", mounted, "sh"), TMPDIR=str(small)
    )


@needs_local
def test_a_server_that_dies_during_its_start_is_quoted(refuse: Refuse, tmp_path: Path) -> None:
    bin_folder = fake_program(
        tmp_path, "mysqld", 'echo "mysqld  Ver 9.9.9"', 'echo "[ERROR] the disk is on fire"; exit 3'
    )

    line = refuse("local", PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}")

    assert "ended with status 3" in line
    assert "[ERROR] the disk is on fire" in line


@needs_local
def test_a_redis_that_dies_during_its_start_is_quoted(refuse: Refuse, tmp_path: Path) -> None:
    bin_folder = fake_program(tmp_path, "redis-server", 'echo "Redis server v=9.9.9"', 'echo "no luck"; exit 4')

    line = refuse("local", PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}")

    assert "redis-server was to start and ended with status 4, saying: no luck" in line


def fake_program(folder: Path, name: str, version: str, work: str) -> Path:
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    program = bin_folder / name
    program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then {version}; exit; fi\n{work}\n')
    program.chmod(0o755)
    return bin_folder


def test_docker_that_does_not_run_is_told(refuse: Refuse, tmp_path: Path) -> None:
    pytest.importorskip("testcontainers")

    line = refuse("containers", DOCKER_HOST=f"unix://{tmp_path}/docker.sock")

    assert "No Docker engine answers" in line
    assert "Start Docker" in line


@as_root
def test_docker_without_permission_is_told(refuse: Refuse, tmp_path: Path) -> None:
    pytest.importorskip("testcontainers")
    engine = Path("/var/run/docker.sock")
    if not engine.exists() or not shutil.which("setpriv"):
        pytest.skip("needs a Docker engine and setpriv here")
    # Nobody in particular, who may read everything (this Python may live in root's home) and write nothing.
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    reader = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search")

    unmeasured = {
        "COVERAGE_PROCESS_START": "",
        "COVERAGE_PROCESS_CONFIG": "",
    }  # it could not write what it measured
    variables = {"HOME": str(tmp_path), "DOCKER_HOST": f"unix://{engine}", **unmeasured}

    line = refuse("containers", through=(*nobody, *reader), **variables)

    assert "this user may not use it" in line
    assert "usermod -aG docker" in line


@pytest.mark.providers("containers")
def test_an_image_that_is_not_there_and_cannot_be_pulled_is_named(refuse: Refuse, provider: str) -> None:
    line = refuse(provider, LABKIT_REDIS_IMAGE="127.0.0.1:1/none/such:0")

    assert "The image 127.0.0.1:1/none/such:0 is not on this machine and can't be pulled" in line


@pytest.mark.providers("containers")
def test_a_container_that_stops_during_its_start_is_quoted(refuse: Refuse, provider: str) -> None:
    line = refuse(provider, LABKIT_MYSQL_IMAGE="redis:8")

    assert "A container of redis:8 was to start and stopped, saying:" in line


def test_asking_for_a_docker_engine_that_is_not_there_leaves_no_socket_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("testcontainers")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(CannotStart, match="No Docker engine answers"):
            docker_engine.connect()
        gc.collect()
    assert [str(each.message) for each in caught if each.category is ResourceWarning] == []
