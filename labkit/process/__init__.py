"""
Starting, watching and ending other processes: the only place where labkit does.

`Program` runs a command, `child_process` a function in a fresh Python; both are ended with all that they have
started, also when this process is killed (`supervisor.py`). `private_folder` and `reaper` remove what else would be
left: folders, containers.
"""

from __future__ import annotations

from labkit.process.child import check_importable, child_process
from labkit.process.folder import private_folder, temporary_folder
from labkit.process.program import Program, Supervised

__all__ = ["Program", "Supervised", "check_importable", "child_process", "private_folder", "temporary_folder"]
