"""
Wait for the first error with `asyncio.wait`, then stop the others.

Fails: test_a_cancelled_caller_leaves_nothing

Because: `asyncio.wait` only waits. When the caller is cancelled it is this wait that ends, the lines below it
are never reached, and the tasks go on. What has to be done on every way out belongs in a `finally`, or in a
task group.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    tasks = [asyncio.create_task(ask(question)) for question in questions]
    if not tasks:
        return []
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return [task.result() for task in tasks]
