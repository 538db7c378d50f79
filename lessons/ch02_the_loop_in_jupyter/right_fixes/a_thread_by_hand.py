"""A thread without any helper: the answer and the error are kept, and `join` waits for the end."""

import asyncio
import threading


def run_now(function, *args):
    answers, errors = [], []

    def run():
        try:
            answers.append(asyncio.run(function(*args)))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]
