"""
labkit: who holds a connection, on which loop, for which task.

How the tree is laid out; imports point down, and a test checks it:

    cli                 the `labkit` command: parse, call, print
    notebook  pytest_plugin
                        the JupyterLab side; the recorder in pytest
    course              lessons and exercises as data, what judges them, and the tour
    bugs  contract      deliberately broken engines, one seam away from the correct one; what "correct" means
    engine  services  recorder  scene
                        the corrected engine; where MySQL and Redis come from; the flight recorder, which tells who
                        holds a connection; a private loop that closes
    settings            what can be chosen from outside
    errors              every exception of labkit's own

Read `labkit.engine.core` first, then `labkit.engine.cached`: the engine that the lessons break and fix.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.engine import Base as Base
    from labkit.engine import Engine as Engine
    from labkit.engine import EngineStatistics as EngineStatistics
    from labkit.engine import Message as Message
    from labkit.engine import Notification as Notification
    from labkit.engine import Room as Room
    from labkit.engine import User as User
    from labkit.errors import LabkitError as LabkitError
    from labkit.notebook import load_ipython_extension as load_ipython_extension
    from labkit.notebook import unload_ipython_extension as unload_ipython_extension
    from labkit.recorder import FlightRecorder as FlightRecorder
    from labkit.scene import Outcome as Outcome
    from labkit.scene import private_loop as private_loop
    from labkit.services import Services as Services
    from labkit.services import services_in_thread as services_in_thread
    from labkit.services import start_services as start_services
    from labkit.settings import Settings as Settings

__version__ = "0.2.0.dev0"

# Each name is imported when it is first used: `labkit --help` need not wait for SQLAlchemy.
_HOME = {
    "Base": "labkit.engine",
    "Engine": "labkit.engine",
    "EngineStatistics": "labkit.engine",
    "FlightRecorder": "labkit.recorder",
    "LabkitError": "labkit.errors",
    "Message": "labkit.engine",
    "Notification": "labkit.engine",
    "Outcome": "labkit.scene",
    "Room": "labkit.engine",
    "Services": "labkit.services",
    "Settings": "labkit.settings",
    "User": "labkit.engine",
    "load_ipython_extension": "labkit.notebook",
    "private_loop": "labkit.scene",
    "services_in_thread": "labkit.services",
    "start_services": "labkit.services",
    "unload_ipython_extension": "labkit.notebook",
}

__all__ = [
    "Base",
    "Engine",
    "EngineStatistics",
    "FlightRecorder",
    "LabkitError",
    "Message",
    "Notification",
    "Outcome",
    "Room",
    "Services",
    "Settings",
    "User",
    "load_ipython_extension",
    "private_loop",
    "services_in_thread",
    "start_services",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'labkit' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
