"""A MySQL or MariaDB server of our own: private data folder, private port, private passwords."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from labkit.services.login import ATTEMPT, database_version, until_ready
from labkit.services.ports import LOOPBACK
from labkit.services.server_process import ServerProcess, find_program, said_version

__all__ = [
    "DATABASE",
    "USER",
    "Mysqld",
    "MysqldProgram",
    "accounts_sql",
    "database_url",
    "find_mysqld",
    "install",
    "new_password",
]

USER = "lab"
DATABASE = "labkit"
START_LIMIT = 60.0

# The data is thrown away at the end: what protects it against a power cut is off. What protects it against a
# killed server stays, lessons and tests kill it.
QUICK = (
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=0",
    "--loose-innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=64M",
    "--loose-innodb-redo-log-capacity=16M",
    "--loose-mysqlx=OFF",
)
ALIKE = ("--character-set-server=utf8mb4", "--default-time-zone=+00:00", "--skip-name-resolve")


@dataclass(frozen=True)
class MysqldProgram:
    """The server's program, what it is ("mysql" or "mariadb"), its version, and MariaDB's installer."""

    path: Path
    kind: str
    version: str
    installer: Path | None = None


def find_mysqld() -> MysqldProgram | None:
    """
    Return the MySQL or MariaDB server found here.

    The name does not tell: Debian's `mysqld` is MariaDB's. The program is asked.
    """
    path = find_program("mysqld", "mariadbd")
    said = said_version(path) if path else ""
    version = re.search(r"Ver (\d[\d.]*)", said)
    if path is None or version is None:
        return None
    if "mariadb" not in said.lower():
        return MysqldProgram(path, "mysql", version[1])
    installer = find_program("mariadb-install-db", "mysql_install_db")
    return MysqldProgram(path, "mariadb", version[1], installer)


def accounts_sql(password: str) -> str:
    """
    Return the statements that make the database and its user, one on each line, as `--init-file` wants them.

    MariaDB's anonymous user of localhost would hide 'lab'@'%' there, so the account is made for both.
    """
    lines = [f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4;"]
    for host in ("%", "localhost"):
        lines.append(f"CREATE USER IF NOT EXISTS '{USER}'@'{host}' IDENTIFIED BY '{password}';")
        lines.append(f"GRANT ALL ON *.* TO '{USER}'@'{host}' WITH GRANT OPTION;")
    return "\n".join(lines) + "\n"


def database_url(port: int, password: str, *, host: str = LOOPBACK) -> str:
    """Return the SQLAlchemy URL of our database."""
    from sqlalchemy import URL

    url = URL.create("mysql+asyncmy", USER, password, host, port, DATABASE)
    return url.render_as_string(hide_password=False)


class Mysqld:
    """Run the server on data in `folder`, on `port`."""

    def __init__(self, program: MysqldProgram, folder: Path, port: int, password: str) -> None:
        self.url = database_url(port, password)
        self.version = ("", "")
        self._folder = folder
        self._password = password
        self._accounts = folder / "accounts.sql"
        self._process = ServerProcess(
            "mysqld",
            [
                *_base(program, folder),
                *ALIKE,
                f"--bind-address={LOOPBACK}",
                f"--port={port}",
                "--socket=mysqld.sock",  # relative to the data folder: a path would soon be too long for a socket
                f"--pid-file={folder / 'mysqld.pid'}",
                f"--secure-file-priv={folder}",
                f"--init-file={self._accounts}",
            ],
            folder,
            secret=password,
        )

    async def start(self) -> None:
        """Start the server and wait until it answers a login."""
        # Written for each start and removed after it: the password is nowhere in a file afterwards.
        self._accounts.touch(mode=0o600)
        self._accounts.write_text(accounts_sql(self._password))
        self._process.start()
        self.version = await until_ready("mysqld", self._login, timeout=START_LIMIT)
        self._accounts.unlink()

    async def _login(self) -> tuple[str, str]:
        self._process.check()
        return await database_version(self.url, timeout=ATTEMPT)

    async def stop(self) -> None:
        """Kill the server."""
        self.kill()

    def kill(self) -> None:
        """Kill the server, without a moment at which a cancellation could come between."""
        self._process.kill()


async def install(program: MysqldProgram, folder: Path) -> None:
    """Fill `folder` with the server's own tables; raises `CannotStart` with the installer's last words."""
    if program.kind == "mariadb":
        assert program.installer is not None
        command = [str(program.installer), *_base(program, folder)[1:], "--skip-test-db", "--skip-name-resolve"]
    else:
        command = [*_base(program, folder), "--initialize-insecure"]
    process = ServerProcess("install", command, folder)
    try:
        process.start()
        while process.status() is None:  # noqa: ASYNC110 - the process is not asyncio's, so nothing sets an event
            await asyncio.sleep(0.02)
        if process.status():
            process.check()
    finally:
        process.kill()


def _base(program: MysqldProgram, folder: Path) -> list[str]:
    root = ["--user=root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [str(program.path), "--no-defaults", *root, f"--datadir={folder / 'data'}", *QUICK]


def new_password() -> str:
    """Return a password for one start."""
    return secrets.token_urlsafe(24)
