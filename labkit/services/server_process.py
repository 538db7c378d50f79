"""Servers that are installed on this machine: where their programs are, and one that runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from labkit.errors import CannotStart
from labkit.process import Program
from labkit.services.ports import PortTaken

__all__ = ["ServerProcess", "find_program", "said_version"]

# The server's process waits at this gate until the reaper knows it: there is no moment at which a killed parent
# leaves a running server behind. `exec` keeps the process number.
GATE = 'read _ && exec "$@"'
TAKEN = "address already in use"

# Servers live where an ordinary user's PATH does not lead, and a notebook's kernel may run without its
# environment being activated.
ELSEWHERE = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/libexec", "/opt/homebrew/bin", "/usr/local/bin")


def find_program(*names: str) -> Path | None:
    """Return the first of `names` found on PATH, beside this Python, or where systems keep their servers."""
    places = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent), *ELSEWHERE]
    for name in names:
        found = shutil.which(name, path=os.pathsep.join(places))
        if found:
            return Path(found)
    return None


def said_version(program: Path) -> str:
    """Return the line that `program --version` prints, "" when it prints none."""
    try:
        said = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip()


class ServerProcess:
    """
    Run `command` in its own session with its output in a log file; `config` goes to its standard input.

    The command line shows in the list of processes: it must hold no secret. `secret` is kept out of what is
    quoted from the log.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, *, config: str = "", secret: str = ""
    ) -> None:
        self.name = name
        self._command = list(command)
        self._folder = folder
        self._config = config
        self._secret = secret
        self._log = folder / f"{name}.log"
        self._log_start = 0
        self._program: Program | None = None

    def __repr__(self) -> str:
        return f"<ServerProcess {self.name}{'' if self._program else ' not started'}>"

    def start(self) -> None:
        """Start the process; whether the server came up is for `check` and a login to say."""
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._program = Program(
                ["/bin/sh", "-c", GATE, "sh", *self._command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                # A killed server leaves its own temporary files where it made them: here, in the private folder.
                env={**os.environ, "LC_ALL": "C", "TMPDIR": str(self._folder)},
                session=True,  # Ctrl-C in the terminal is for us; the server goes when we say so
                direct=True,
            )
        assert self._program.stdin is not None
        with suppress(BrokenPipeError), self._program.stdin as stdin:
            stdin.write(b"\n" + self._config.encode())

    def status(self) -> int | None:
        """Return the exit status, None while the process runs."""
        return self._program.status if self._program else 0

    def check(self) -> None:
        """Raise `CannotStart`, with the server's own last words, if the process has ended."""
        status = self.status()
        if status is None:
            return
        taken = [line for line in self._lines() if TAKEN in line.lower()]
        words = (taken or [self.last_words()])[-1]
        error = PortTaken if taken else CannotStart
        raise error(
            f"{self.name} was to start and ended with status {status}, saying: {words}",
            remedy="`labkit doctor` says what this machine has.",
        )

    def last_words(self) -> str:
        """Return the last line that tells a fault, or else the last line of the log."""
        lines = self._lines()
        faults = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
        return (faults or lines or ["nothing."])[-1]

    def kill(self) -> None:
        """Kill the process: its data is not needed any more, or the test wants just that."""
        if self._program is not None:
            self._program.end()
            self._program = None

    def _lines(self) -> list[str]:
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            words = log.read().decode(errors="replace")
        words = words.replace(self._secret, "***") if self._secret else words
        return [line.strip() for line in words.splitlines() if line.strip()]
