"""The provider `containers`."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import make_url

from labkit.errors import CannotStart
from labkit.services import Services, docker_engine, ports, remove_container, start_services
from labkit.services.container import OWNER_LABEL, Container
from labkit.services.images import redis_container
from labkit.settings import Settings

pytestmark = [pytest.mark.push, pytest.mark.providers("containers"), pytest.mark.usefixtures("provider")]


def published(services: Services) -> set[tuple[str, int]]:
    client = docker_engine.connect().client
    try:
        found = client.api.containers(filters={"label": OWNER_LABEL})
        return {
            (port["IP"], port["PublicPort"]) for each in found for port in each["Ports"] if "PublicPort" in port
        }
    finally:
        client.close()


async def test_ports_are_published_on_loopback_only() -> None:
    async with start_services("containers") as services:
        there = published(services)

    ours = {make_url(services.database_url).port, make_url(services.redis_url).port}
    assert {address for address, port in there if port in ours} == {"127.0.0.1"}
    assert {port for _, port in there} >= ours


@pytest.mark.full
async def test_a_port_that_was_taken_meanwhile_is_left_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        taken = other.getsockname()[1]
        offered = [taken, ports.free_port(), taken, ports.free_port()]
        monkeypatch.setattr(ports, "free_port", lambda: offered.pop(0))

        async with start_services("containers") as services:
            used = {make_url(services.database_url).port, make_url(services.redis_url).port}

    assert (taken in used, offered) == (False, [])


async def test_no_free_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        monkeypatch.setattr(ports, "free_port", lambda: other.getsockname()[1])

        with pytest.raises(CannotStart, match=f"Port {other.getsockname()[1]}, for mysql:.*, is taken"):
            async with start_services("containers"):
                pass


async def test_an_image_that_cannot_be_pulled_is_named() -> None:
    client = docker_engine.connect()
    try:
        assert docker_engine.missing_images(client, "127.0.0.1:1/none:0") == ["127.0.0.1:1/none:0"]
        with pytest.raises(CannotStart, match=r"The image 127\.0\.0\.1:1/none:0 is not on this machine"):
            await docker_engine.pull(client, "127.0.0.1:1/none:0")
    finally:
        client.client.close()


def test_the_reapers_script_removes_a_container_by_its_name() -> None:
    client = docker_engine.connect()
    container = Container(client, redis_container(Settings().redis_image, "secret"), ports.free_port())
    try:
        container.create()
        [name] = [found.name for found in client.client.containers.list() if found.name == container.name]

        remove_container.main(name)

        assert name not in [found.name for found in client.client.containers.list(all=True)]
    finally:
        container.remove()
        client.client.close()
