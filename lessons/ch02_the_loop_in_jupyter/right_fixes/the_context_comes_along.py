"""A thread that has a copy of the caller's context variables, too."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context


def run_now(function, *args):
    context = copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="run_now") as pool:
        future = pool.submit(context.run, lambda: asyncio.run(function(*args)))
    return future.result()
