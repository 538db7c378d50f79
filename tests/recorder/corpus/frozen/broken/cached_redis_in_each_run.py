"""A currency converter that keeps its rates in Redis, used from a synchronous command line.

Each conversion is an asyncio.run of its own with the same client, so the second one meets a connection
of a loop that is closed, and fails.
"""

# drivers: asyncmy
# needs: redis

import asyncio
import os
from functools import cache

from redis.asyncio import Redis


@cache
def rates() -> Redis:
    return Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


async def rate_of(currency: str) -> float:
    value = await rates().get(f"rate:{currency}")  # finding: redis-crossed-loops
    return float(value or 1)


async def convert(amount: float, currency: str) -> float:
    return amount * await rate_of(currency)


def main() -> None:
    for amount, currency in ((10.0, "EUR"), (20.0, "CHF")):
        try:
            print(currency, asyncio.run(convert(amount, currency)))
        except RuntimeError as error:
            print(currency, "failed:", str(error)[-40:])


if __name__ == "__main__":
    main()
