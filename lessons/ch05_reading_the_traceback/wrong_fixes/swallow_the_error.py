"""
Let no error of a step disturb the runner.

Fails: test_the_error_of_a_step_is_told

Because: it was the one complaint that came at the right time and under the right name. A runner that keeps it to
itself says that the step went well.
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
            except Exception:
                print(f"{name} has ended early")
            gc.collect()
    finally:
        sys.unraisablehook = hook
        POOL_LOG.removeHandler(listener)
