"""Keep a set of running tasks: whenever one is done begin the next, and in the end stop what is left."""

import asyncio


async def ask_all(engine, questions, at_once):
    async def ask(question):
        async with engine.connect() as connection:
            return await question(connection)

    tasks, running = [], set()
    try:
        for question in questions:
            if len(running) == at_once:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            tasks.append(asyncio.create_task(ask(question)))
            running.add(tasks[-1])
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
