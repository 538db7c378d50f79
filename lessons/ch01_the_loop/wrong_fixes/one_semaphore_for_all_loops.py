"""
Make the semaphore once, outside, and keep it.

Fails: test_it_works_on_the_next_loop_too

Because: it binds itself to the loop in which somebody first has to wait for it. On the next loop it works as
long as nobody waits, and fails when somebody does. Make it where it is used.
"""

import asyncio

PLACES = {}


async def ask_all(engine, questions, at_once):
    places = PLACES.setdefault(at_once, asyncio.Semaphore(at_once))

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(question)) for question in questions]
    return [task.result() for task in tasks]
