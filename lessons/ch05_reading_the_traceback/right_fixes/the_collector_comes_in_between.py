"""Turn the collector off while a step runs, call it in between, and put all back with an `ExitStack`."""

import asyncio
import gc
import logging
import sys
from contextlib import ExitStack

POOL_LOG = logging.getLogger("sqlalchemy.pool")


def run_steps(steps, tell):
    listener = logging.Handler(logging.ERROR)
    listener.emit = lambda record: tell(name, record.getMessage())
    with ExitStack() as undo:
        undo.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
        undo.callback(POOL_LOG.removeHandler, listener)
        if gc.isenabled():
            undo.callback(gc.enable)
        sys.unraisablehook = lambda found: tell(name, repr(found.exc_value))
        POOL_LOG.addHandler(listener)
        gc.disable()
        for name, step in steps:
            try:
                asyncio.run(step())
            except Exception as error:
                tell(name, repr(error))
            finally:
                gc.collect()
