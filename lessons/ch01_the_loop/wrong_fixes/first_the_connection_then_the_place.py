"""
Take a connection, and then wait for a place.

Fails: test_no_more_are_asked_at_once_than_wanted

Because: the right number of questions is asked, and those that wait for their turn wait with a connection in
hand. The pool is as empty as before. The place has to come first.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with engine.connect() as connection, places:
            return await question(connection)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(question)) for question in questions]
    return [task.result() for task in tasks]
