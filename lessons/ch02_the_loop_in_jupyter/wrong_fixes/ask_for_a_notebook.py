"""
Ask whether this is a notebook, and take a thread only there.

Fails: test_in_a_notebook_it_gives_the_answer_and_leaves_the_running_loop_as_it_is

Because: a notebook is one place with a running loop, and not the only one. The check has a running loop and no
notebook; so has a web server. Ask for what matters, or do what is right in both places.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from IPython import get_ipython


def run_now(function, *args):
    if get_ipython() is None:
        return asyncio.run(function(*args))
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, function(*args)).result()
