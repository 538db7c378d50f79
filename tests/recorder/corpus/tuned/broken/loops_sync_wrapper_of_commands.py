"""A command-line tool whose commands are coroutines, made plain by a decorator that calls asyncio.run.

One invocation runs two commands, and the second one borrows the first one's connection, of a closed loop.
"""

import argparse
import asyncio
import functools
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

sessions = async_sessionmaker(create_async_engine(os.environ["DATABASE_URL"], pool_pre_ping=False))
COMMANDS = {}


def command(function):
    @functools.wraps(function)
    def run(*args):
        return asyncio.run(function(*args))

    COMMANDS[function.__name__] = run
    return run


@command
async def add(number):
    async with sessions() as session:
        return int(await session.scalar(text("SELECT 1 + :number"), {"number": number}))


@command
async def double(number):
    async with sessions() as session:
        answer = await session.scalar(text("SELECT 2 * :number"), {"number": number})  # finding: pool-crossed-loops
        return int(answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("commands", nargs="*", default=["add", "double"])
    value = 3
    for name in parser.parse_args().commands:
        try:
            value = COMMANDS[name](value)
        except RuntimeError as error:
            print(name, "failed:", type(error).__name__)
        else:
            print(name, "->", value)


if __name__ == "__main__":
    main()
