"""Redis as a convenience: asked while it answers, done without while it does not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from labkit.errors import InvalidSetting
from labkit.settings import Settings

__all__ = ["OptionalRedis", "check_redis_url", "redis_client"]

T = TypeVar("T")

logger = logging.getLogger("labkit.engine")

PAUSE = 1.0  # seconds without a question to a Redis that did not answer
PING_AFTER = 0.5  # seconds without use after which a connection is tested, where there is one try only
SCHEMES = ("redis", "rediss", "unix")


def check_redis_url(url: str | SecretStr | None) -> str | None:
    """Return `url`, or None for none; raise `InvalidSetting`, without the password, unless redis-py can use it."""
    if not url:
        return None
    url = url.get_secret_value() if isinstance(url, SecretStr) else url
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  a port that is no number is found out here
        number = parts.path.strip("/")
        if parts.scheme not in SCHEMES or (parts.scheme != "unix" and number and not number.isdecimal()):
            raise ValueError  # redis-py would take the database 0
        pool = ConnectionPool.from_url(url)
        pool.connection_class(**pool.connection_kwargs)  # an option that it does not know is found out here
    except (ValueError, TypeError) as error:
        # What redis-py says of a value may be the password; what it says of a name is not.
        said = f": {error}" if isinstance(error, TypeError) else ""
        raise InvalidSetting(
            f"The Redis URL can't be used{said}.", remedy="Write it as redis://:password@host:6379/0."
        ) from None
    return url


def redis_client(url: str, connect_timeout: float, tries: int) -> Redis:
    """
    Return a client on `url` that opens nothing yet and gives a question, or a lost connection, `tries` tries.

    It waits for an answer as long as its caller does: a time limit on its socket would cost a task for each read.
    """
    client: Redis = Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=None,
        socket_connect_timeout=connect_timeout,
        retry=Retry(NoBackoff(), tries - 1),
        max_connections=2**31,  # as many as tasks ask at once: one too many would look like a Redis that is away
    )
    return client


class OptionalRedis:
    """
    Ask Redis, and take no answer for an answer: Redis down is not the application down.

    An outage is one warning, however many questions go unanswered; its end is one notice.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url
        self.timeout = settings.redis_timeout
        self.client = redis_client(url, settings.redis_timeout, tries=2)
        self.once = redis_client(url, settings.redis_timeout, tries=1)  # for what must not be done twice
        self.down = False
        self.failed_at = float("-inf")
        self.used_at = float("-inf")  # when `once` was

    async def ask(
        self, question: Callable[[Redis], Awaitable[T]], *, at_once: bool = False, once: bool = False
    ) -> tuple[bool, T | None]:
        """
        Return (True, the answer), or (False, None) when Redis is away.

        After an answer that did not come nothing is asked for a moment, but `at_once`. A lost connection is tried
        again, unless `once`: an order whose answer was lost may have been carried out.
        """
        if self.down and not at_once:
            if time.monotonic() - self.failed_at < PAUSE:
                return False, None
            self.failed_at = time.monotonic()  # one question finds out; the others need not wait for it
        try:
            async with asyncio.timeout(self.timeout):
                if once:
                    await self._drop_dead()
                answer = await question(self.once if once else self.client)
        except (RedisError, OSError) as error:
            self._lost(error)
            return False, None
        if self.down:
            self.down = False
            logger.info("Redis answers again")
        return True, answer

    async def _drop_dead(self) -> None:
        # A restarted Redis has closed what was idle, and redis-py would find out by losing the only try.
        used_at, self.used_at = self.used_at, time.monotonic()
        if self.used_at - used_at < PING_AFTER and used_at > self.failed_at:
            return
        try:
            await self.once.ping()
        except (RedisError, OSError):
            await self.once.connection_pool.disconnect(inuse_connections=False)

    def _lost(self, error: Exception) -> None:
        self.failed_at = time.monotonic()
        if not self.down:
            self.down = True
            logger.warning("Redis does not answer (%s); going on without it", type(error).__name__)

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()
        await self.once.aclose()
