"""A notebook finds the servers that were started for it, or else starts its own."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from labkit.notebook import environment_for_kernels, get_services
from labkit.services import Services

ASK = """
import psutil
from labkit.notebook import get_services
services = get_services()
assert services is get_services()
print(services.provider, len(services.versions))
print(*[child.pid for child in psutil.Process().children(recursive=True)])
"""


@pytest.fixture(autouse=True)
def ask_anew() -> Iterator[None]:
    get_services.cache_clear()
    yield
    get_services.cache_clear()


def test_a_kernel_gets_the_services_it_was_given_for_itself(
    any_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", lambda end, *about: ends.append(partial(end, *about)))
    for name, value in environment_for_kernels(any_services).items():
        monkeypatch.setenv(name, value)
    own = get_services()
    for end in ends:
        end()

    assert own is get_services()
    assert own.database_url != any_services.database_url
    assert own.redis_url != any_services.redis_url
    assert (own.provider, own.versions) == (any_services.provider, any_services.versions)
    assert own.capabilities == any_services.capabilities


def ask(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("LABKIT_")}
    return subprocess.run(
        [sys.executable, "-c", ASK],
        env={**own, "TMPDIR": str(directory), **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.learner_path
@pytest.mark.real_servers("push", "full")
def test_without_any_it_starts_its_own_and_leaves_nothing(provider: str, tmp_path: Path) -> None:
    asked = ask(tmp_path, LABKIT_PROVIDER=provider)
    told, pids = asked.stdout.splitlines()

    assert asked.stderr == ""
    assert told == f"{provider} 2"
    left = [psutil.Process(pid) for pid in map(int, pids.split()) if psutil.pid_exists(pid)]
    assert psutil.wait_procs(left, timeout=20)[1] == []
    assert list(tmp_path.iterdir()) == []


def test_your_own_servers_are_asked_what_they_are(clean_services: Services, tmp_path: Path) -> None:
    urls = {
        "LABKIT_DATABASE_URL": clean_services.database_url,
        "LABKIT_REDIS_URL": clean_services.redis_url,
    }

    assert ask(tmp_path, **urls).stdout.splitlines()[0] == "url 2"
