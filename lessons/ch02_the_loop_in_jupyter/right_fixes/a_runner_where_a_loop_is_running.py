"""Look whether a loop is running here; only then a thread is needed, with a `Runner` in it."""

import asyncio
import threading
from concurrent.futures import Future


def run_now(function, *args):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(function(*args))

    answer = Future()
    thread = threading.Thread(target=run_in_runner, args=(answer, function, args), name="run_now")
    thread.start()
    thread.join()
    return answer.result()


def run_in_runner(answer, function, args):
    try:
        with asyncio.Runner() as runner:
            found = runner.run(function(*args))
    except BaseException as error:
        answer.set_exception(error)
    else:
        answer.set_result(found)
