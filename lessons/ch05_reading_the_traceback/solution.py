"""
The collector comes when it likes, unless somebody calls it: after each step, while that step still has the name.

The call stands where every step comes by, the one that fails too, and behind the `except`: as long as an error is
in somebody's hands its traceback holds the frames, and the frames hold what should be garbage. What was put up to
listen is taken down in a `finally`, so that nobody who comes later hears with it.
"""

import asyncio
import gc
import logging
import sys

POOL_LOG = logging.getLogger("sqlalchemy.pool")


def run_steps(steps, tell):
    listener = logging.Handler(logging.ERROR)
    listener.emit = lambda record: tell(name, record.getMessage())
    POOL_LOG.addHandler(listener)
    hook = sys.unraisablehook
    sys.unraisablehook = lambda found: tell(name, repr(found.exc_value))
    try:
        for name, step in steps:
            try:
                asyncio.run(step())
            except Exception as error:
                tell(name, repr(error))
            gc.collect()
    finally:
        sys.unraisablehook = hook
        POOL_LOG.removeHandler(listener)
