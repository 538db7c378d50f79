"""
Make a task of it on the running loop, and return the task.

Fails: test_in_a_notebook_it_gives_the_answer_and_leaves_the_running_loop_as_it_is

Because: a task is a promise and not an answer. It gets its first turn when the caller's own line has long gone
on, and an error in it is raised to whoever awaits it, if anybody does.
"""

import asyncio


def run_now(function, *args):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(function(*args))
    return loop.create_task(function(*args))
