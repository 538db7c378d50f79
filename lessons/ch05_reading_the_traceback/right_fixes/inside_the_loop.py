"""Collect before the step's loop closes: a lost connection can still be ended, and it is complained of as well."""

import asyncio
import gc
import logging
import sys

POOL_LOG = logging.getLogger("sqlalchemy.pool")


async def flushed(name, step, tell):
    try:
        await step()
    except Exception as error:
        tell(name, repr(error))
    gc.collect()


def run_steps(steps, tell):
    listener = logging.Handler(logging.ERROR)
    listener.emit = lambda record: tell(name, record.getMessage())
    POOL_LOG.addHandler(listener)
    hook = sys.unraisablehook
    sys.unraisablehook = lambda found: tell(name, repr(found.exc_value))
    try:
        for name, step in steps:
            asyncio.run(flushed(name, step, tell))
    finally:
        sys.unraisablehook = hook
        POOL_LOG.removeHandler(listener)
