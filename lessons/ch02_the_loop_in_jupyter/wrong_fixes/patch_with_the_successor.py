"""
Patch asyncio with nest_asyncio2, which is maintained, and call `asyncio.run` as before.

Fails: test_in_a_script_it_gives_the_answer_and_leaves_asyncio_as_it_is

Because: it replaces the same parts of asyncio, and does so in a script as well, where nothing was wrong. Whoever
imports this helper has another asyncio from then on, also in code that has never heard of it.
"""

import asyncio

import nest_asyncio2


def run_now(function, *args):
    nest_asyncio2.apply()
    return asyncio.run(function(*args))
