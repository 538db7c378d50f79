"""
Ask over an engine of one's own, with a pool that is big enough for all.

Fails: test_no_more_are_asked_at_once_than_wanted

Because: with a bigger pool nobody waits and nobody gets an error, and the server has all the questions at once.
It was the server that was to be spared.
"""

import asyncio

from sqlalchemy.ext.asyncio import create_async_engine


async def ask_all(engine, questions, at_once):
    own = create_async_engine(engine.url, pool_size=len(questions) or 1)

    async def ask(question):
        async with own.connect() as connection:
            return await question(connection)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(question)) for question in questions]
        return [task.result() for task in tasks]
    finally:
        await own.dispose()
