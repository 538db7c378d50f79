"""
Ask in a pool of threads, each question with `asyncio.run`.

Fails: test_a_question_is_asked_on_the_loop_of_its_caller

Because: each `asyncio.run` makes a loop and closes it. The connections in the pool belong to the loops that
opened them. On another one they fail, now and then, whenever an answer is not there yet. And no thread was
needed: a task that waits keeps nobody else from working.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor


async def ask_all(engine, questions, at_once):
    async def ask(question):
        async with engine.connect() as connection:
            return await question(connection)

    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(at_once)
    try:
        answers = [loop.run_in_executor(threads, asyncio.run, ask(question)) for question in questions]
        return await asyncio.gather(*answers)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
