"""Keep `gather`, and whatever comes, stop in a `finally` what is left and wait until it has ended."""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    tasks = [asyncio.create_task(ask(question)) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
