"""Make a loop in a thread, and do by hand what `asyncio.run` does at its end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_now(function, *args):
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(run_on_a_new_loop, function, args).result()


def run_on_a_new_loop(function, args):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(function(*args))
    finally:
        loop.run_until_complete(clear())
        loop.close()


async def clear():
    loop = asyncio.get_running_loop()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
