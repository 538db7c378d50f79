"""Take from the error what it holds: then the collector may come while it is still in hand."""

import asyncio
import gc
import logging
import sys
import traceback

POOL_LOG = logging.getLogger("sqlalchemy.pool")


def clear(error):
    # Let go of the variables that its traceback holds, and those of the errors behind it.
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


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
                clear(error)
                gc.collect()
            else:
                gc.collect()
    finally:
        sys.unraisablehook = hook
        POOL_LOG.removeHandler(listener)
