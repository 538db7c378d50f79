"""
Start workers that take questions from a queue, and wait for the queue.

Fails: test_an_error_goes_to_the_caller

Because: nobody awaits the workers. The one that fails ends with its error in its hands, and the queue waits for
it: a task that is not awaited tells its error to nobody.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    answers = [None] * len(questions)
    waiting = asyncio.Queue()
    for pair in enumerate(questions):
        waiting.put_nowait(pair)

    async def work():
        while True:
            number, question = await waiting.get()
            async with engine.connect() as connection:
                answers[number] = await question(connection)
            waiting.task_done()

    workers = [asyncio.create_task(work()) for _ in range(at_once)]
    await waiting.join()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    return answers
