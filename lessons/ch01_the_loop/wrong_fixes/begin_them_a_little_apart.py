"""
Begin the questions a little apart, so that they don't come all at once.

Fails: test_no_more_are_asked_at_once_than_wanted

Because: how long an answer takes is not known when the next question begins. As soon as answers take longer
than the pause there are more and more of them under way.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    async def ask(number, question):
        await asyncio.sleep(0.02 * (number // at_once))
        async with engine.connect() as connection:
            return await question(connection)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(number, question)) for number, question in enumerate(questions)]
    return [task.result() for task in tasks]
