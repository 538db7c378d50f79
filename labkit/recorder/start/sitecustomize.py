"""
Begins the recording of a program that `labkit diagnose` started, before the program's first line.

Python imports this module by its name because this folder is on its path. The folder leaves the path again, and the
`sitecustomize` that would have been found without it is imported in its turn.
"""

import importlib
import os
import signal
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _begin() -> None:
    told = os.environ.get("LABKIT_FLIGHT_SPOOL", "").split("\n", 2)
    # A program may start another Python, which has no labkit, or may outlive the folder.
    if len(told) == 3 and told[1] == sys.prefix and os.path.isdir(told[2]):
        root = os.path.dirname(os.path.dirname(os.path.dirname(_HERE)))
        sys.path.append(root)
        try:
            import labkit.recorder.process.agent as child
        finally:
            sys.path.reverse()
            sys.path.remove(root)  # the last one
            sys.path.reverse()
        child.begin()


def _give_way() -> None:
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
    own = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ModuleNotFoundError as missing:
        if missing.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", own)


try:
    _begin()
except Exception as error:
    print(f"labkit: this process is not recorded ({type(error).__name__}: {error}).", file=sys.stderr)
except KeyboardInterrupt:  # raised from here it would be a fatal error of Python's
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)
_give_way()
