"""
Take the answers as they come, with `asyncio.as_completed`.

Fails: test_the_answers_come_in_the_order_of_the_questions

Because: who is answered first is not who has asked first. The caller gets a list of answers, and no longer
knows which question each of them belongs to.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(question)) for question in questions]
        return [await answer for answer in asyncio.as_completed(tasks)]
