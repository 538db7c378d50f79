"""The command line as a whole: help, errors, speed of getting there."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from .conftest import Labkit


@pytest.mark.parametrize("command", ["tour", "diagnose", "doctor", "services", "lab", "run", "build"])
def test_every_command_has_help_with_examples(labkit: Labkit, command: str) -> None:
    finished = labkit(command, "--help")

    assert finished.returncode == 0
    assert "xample" in finished.stdout


def test_without_arguments_it_shows_the_commands(labkit: Labkit) -> None:
    printed = labkit().stdout

    assert [name for name in ("tour", "doctor", "services", "lab", "run") if name not in printed] == []


def test_it_says_its_version(labkit: Labkit) -> None:
    assert labkit("--version").stdout.startswith(f"labkit {version('labkit')} on Python 3.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_an_output_that_is_full_is_one_line() -> None:
    command = f"{sys.executable} -m labkit bugs list --json >/dev/full"
    finished = subprocess.run(command, shell=True, capture_output=True, text=True)

    assert finished.returncode != 0
    assert "Traceback" not in finished.stderr
    assert "No space left on device" in finished.stderr


def test_help_loads_neither_sqlalchemy_nor_a_server() -> None:
    script = "import sys, labkit.cli.app; print([m for m in HEAVY if m in sys.modules])".replace(
        "HEAVY", "('sqlalchemy', 'redis', 'asyncmy', 'mysql_mimic', 'fakeredis', 'testcontainers', 'pydantic')"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "[]"


def test_a_setting_that_is_no_number_is_one_line_and_exit_2(labkit: Labkit) -> None:
    finished = labkit("tour", LABKIT_POOL_SIZE="five")

    assert finished.returncode == 2
    assert "LABKIT_POOL_SIZE" in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1
