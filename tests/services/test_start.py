"""What every provider promises of what it starts."""

from __future__ import annotations

import pytest
import redis.asyncio

from labkit.services import Capability, Services
from labkit.services.login import database_version, redis_version
from labkit.services.services import CAPABILITIES


@pytest.mark.learner_path
async def test_both_servers_answer_a_login(any_services: Services) -> None:
    kind, version = await database_version(any_services.database_url, timeout=5)

    assert any_services.versions[kind].startswith(version)
    assert any_services.versions["redis"] == await redis_version(any_services.redis_url, timeout=5)


def test_the_capabilities_are_those_that_are_promised(any_services: Services) -> None:
    assert any_services.capabilities == CAPABILITIES[any_services.provider]


async def test_a_clean_start_has_no_keys(clean_services: Services) -> None:
    async with redis.asyncio.Redis.from_url(clean_services.redis_url) as client:
        assert await client.dbsize() == 0


@pytest.mark.needs(Capability.RESTART)
def test_only_what_can_be_restarted_has_a_control(services: Services) -> None:
    assert services.control is not None
