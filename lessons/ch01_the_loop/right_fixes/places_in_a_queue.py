"""Put so many tokens into a queue as may ask at once, in place of a semaphore; and raise the error itself."""

import asyncio


async def ask_all(engine, questions, at_once):
    tokens = asyncio.Queue()
    for number in range(at_once):
        tokens.put_nowait(number)

    async def ask(question):
        token = await tokens.get()
        try:
            async with engine.connect() as connection:
                return await question(connection)
        finally:
            tokens.put_nowait(token)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(question)) for question in questions]
    except* Exception as errors:
        failed = errors
    else:
        return [task.result() for task in tasks]
    raise failed.exceptions[0]
