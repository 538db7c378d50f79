"""
Wait for all, and then raise the first error.

Fails: test_an_error_waits_for_nobody

Because: the error is there, and the caller waits for answers that it won't get. If one of them never comes, the
error never does either.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    answers = await asyncio.gather(*[ask(question) for question in questions], return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers
