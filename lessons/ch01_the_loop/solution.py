"""
A semaphore says how many may ask at once, and a task group sees to it that nobody is left behind.

The semaphore has `at_once` places. Whoever has an answer leaves, and the next one comes in at that moment, so
there are never more and never fewer than that. It is made where it is used, on the loop that uses it; and the
place comes first and the connection after it, so that nobody waits with a connection in hand.

The task group ends when all its tasks have ended. When one fails it cancels the others and waits for them, and
only then does the error go on, in an exception group. The same happens when the caller is cancelled. The
answers are read from the tasks, in the order in which the tasks were made.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(question)) for question in questions]
    return [task.result() for task in tasks]
