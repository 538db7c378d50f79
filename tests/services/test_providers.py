"""The registry of providers."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from labkit.errors import CannotStart, InvalidSetting, MissingCapability
from labkit.services import Capability, Probe, Services, probe, provider_names, providers_with
from labkit.services.providers import find_provider
from labkit.services.services import CAPABILITIES


def test_the_default_comes_first() -> None:
    assert provider_names() == ("embedded", "local", "containers", "url", "sqlite")


def test_each_provider_says_what_its_servers_can_do() -> None:
    assert set(provider_names()) == set(CAPABILITIES)


def test_a_capability_names_the_providers_that_have_it() -> None:
    assert providers_with(Capability.RESTART) == ("local", "containers")
    assert "sqlite" not in providers_with(Capability.SERVER)


@pytest.mark.parametrize("name", ["", "Embedded", "mysql"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidSetting, match=f"no provider {name!r}"):
        find_provider(name)


@pytest.mark.parametrize("name", provider_names())
def test_a_probe_starts_nothing_and_is_quick(name: str) -> None:
    began = time.perf_counter()
    found = probe(name)

    assert time.perf_counter() - began < 5
    assert found.found or (found.reason and found.remedy)


def test_what_was_not_found_is_refused_with_its_reason() -> None:
    with pytest.raises(CannotStart) as refusal:
        Probe("local", False, reason="no mysqld was found.", remedy="Install it.").require()

    assert str(refusal.value) == "The provider 'local' can't start: no mysqld was found. Install it."


def test_a_missing_capability_names_the_providers_that_have_it() -> None:
    services = Services("sqlite", "", "", {}, frozenset())

    with pytest.raises(MissingCapability, match="Use one of: local, containers"):
        services.require(Capability.RESTART)


def test_neither_url_shows_in_a_repr() -> None:
    services = Services("url", "mysql+asyncmy://lab:secret@h/d", "redis://:secret@h/0", {}, frozenset())

    assert "secret" not in repr(services)


def test_importing_the_services_imports_no_driver_and_no_server() -> None:
    heavy = "{'sqlalchemy', 'asyncmy', 'redis', 'fakeredis', 'mysql_mimic', 'testcontainers', 'docker'}"
    script = f"import sys, labkit.services; print(sorted({heavy} & set(sys.modules)))"

    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"
