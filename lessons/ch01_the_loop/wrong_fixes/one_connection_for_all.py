"""
Open one connection for all questions, so that the pool can't run dry.

Fails: test_no_fewer_are_asked_at_once_than_wanted

Because: a connection is one line to the server, and one question at a time goes over it. What looks like many
questions at once is a queue for that line, and all of them are in one transaction. That they queue is how
SQLAlchemy drives this driver; with another one it is an error to ask before the last answer is there.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async with engine.connect() as connection:

        async def ask(question):
            async with places:
                return await question(connection)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(question)) for question in questions]
        return [task.result() for task in tasks]
