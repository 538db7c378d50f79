"""
Let the pool be the limit, and mind only the errors.

Fails: test_no_more_are_asked_at_once_than_wanted

Because: the pool lends all that it has, and that is more than you were allowed: the rest of the program wants
some, too. And it is impatient. Who has waited for `pool_timeout` seconds gets an error, though nothing was
wrong.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    async def ask(question):
        async with engine.connect() as connection:
            return await question(connection)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(question)) for question in questions]
    return [task.result() for task in tasks]
