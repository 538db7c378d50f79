"""
On an error cancel the others, and raise it.

Fails: test_when_the_error_arrives_nothing_is_running

Because: `cancel` only says that a task is to stop. It stops at its next turn, and to give its connection back
it needs some turns more. The error must not go on before they have ended: wait for them.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    tasks = [asyncio.create_task(ask(question)) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
