"""
Patch the running loop with nest_asyncio, and run the function on it.

Fails: test_in_a_notebook_it_gives_the_answer_and_leaves_the_running_loop_as_it_is

Because: the patch stays in the whole process, and there is no way back. From then on the running loop can be
entered from anywhere, and other tasks get a turn between two lines that have no `await` between them.
"""

import asyncio

import nest_asyncio


def run_now(function, *args):
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(function(*args))
    nest_asyncio.apply(loop)
    return loop.run_until_complete(function(*args))
