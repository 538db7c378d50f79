"""Let `private_loop` play each step: it collects the garbage at the step's end, and listens until then."""

from labkit.scene import private_loop


def run_steps(steps, tell):
    for name, step in steps:
        outcome = private_loop(step)
        for failure in outcome.silent_failures:
            tell(name, failure.text)
        if isinstance(outcome.exception, Exception):
            tell(name, repr(outcome.exception))
        elif outcome.exception is not None:
            raise outcome.exception
