"""
Gather with `return_exceptions=True`, so that one error doesn't spoil the rest.

Fails: test_an_error_goes_to_the_caller

Because: the error is now one of the answers. Nobody who asks expects an exception in the list, and the first
who notices is somebody else, later.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    places = asyncio.Semaphore(at_once)

    async def ask(question):
        async with places, engine.connect() as connection:
            return await question(connection)

    return await asyncio.gather(*[ask(question) for question in questions], return_exceptions=True)
