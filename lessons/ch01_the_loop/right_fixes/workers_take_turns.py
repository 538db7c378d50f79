"""Have as many workers as there may be questions at once; each takes the next question when it has an answer."""

import asyncio


async def ask_all(engine, questions, at_once):
    answers = [None] * len(questions)
    waiting = iter(enumerate(questions))

    async def work():
        for number, question in waiting:
            async with engine.connect() as connection:
                answers[number] = await question(connection)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return answers
