"""Listen for one step at a time: its listener knows one name, and is gone before the next one begins."""

import asyncio
import gc
import logging
import sys
from contextlib import contextmanager

POOL_LOG = logging.getLogger("sqlalchemy.pool")


class Listener(logging.Handler):
    def __init__(self, name, tell):
        super().__init__(logging.ERROR)
        self.name, self.tell = name, tell

    def emit(self, record):
        self.tell(self.name, record.getMessage())

    def hear(self, found):
        self.tell(self.name, f"{found.exc_type.__name__}: {found.exc_value}")


@contextmanager
def listening(name, tell):
    listener, hook = Listener(name, tell), sys.unraisablehook
    POOL_LOG.addHandler(listener)
    sys.unraisablehook = listener.hear
    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook = hook
        POOL_LOG.removeHandler(listener)


def run_one(step):
    try:
        asyncio.run(step())
    except Exception as error:
        return f"{type(error).__name__}: {error}"  # its words; the error itself is gone with this function
    return ""


def run_steps(steps, tell):
    for name, step in steps:
        with listening(name, tell):
            if failed := run_one(step):
                tell(name, failed)
