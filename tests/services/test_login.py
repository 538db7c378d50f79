"""A server that can't be reached is named without the password of its URL."""

from __future__ import annotations

import pytest

from labkit.errors import Unreachable
from labkit.services.login import database_version, redis_version


@pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])
async def test_a_database_that_does_not_answer_is_named_without_its_password(
    driver: str, unused_tcp_port: int
) -> None:
    with pytest.raises(Unreachable) as raised:
        await database_version(f"mysql+{driver}://lab:s3cret@127.0.0.1:{unused_tcp_port}/lab", timeout=10)

    assert f"mysql+{driver}://lab:***@127.0.0.1:{unused_tcp_port}/lab" in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("user", ["", "lab"])
async def test_a_redis_that_does_not_answer_is_named_without_its_password(user: str, unused_tcp_port: int) -> None:
    with pytest.raises(Unreachable) as raised:
        await redis_version(f"redis://{user}:s3cret@127.0.0.1:{unused_tcp_port}/0", timeout=10)

    assert f"redis://{user}:***@127.0.0.1:{unused_tcp_port}/0" in str(raised.value)
    assert "s3cret" not in str(raised.value)
