"""
Run it in a thread, and keep the answer, or the exception if there is one.

Fails: test_an_error_comes_through

Because: not every error is an `Exception`. A cancellation, for one, is none, so that it isn't caught by mistake:
here it is lost, and the caller gets None for an answer.
"""

import asyncio
import threading


def run_now(function, *args):
    found = {"answer": None, "error": None}

    def run():
        try:
            found["answer"] = asyncio.run(function(*args))
        except Exception as error:
            found["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if found["error"] is not None:
        raise found["error"]
    return found["answer"]
