"""The JupyterLab side: what notebooks use, the IPython extension, and the launcher of JupyterLab."""

from __future__ import annotations

from labkit.notebook.exercise import check, hint, measured, predict, solution, story_folder
from labkit.notebook.extension import load_ipython_extension, unload_ipython_extension
from labkit.notebook.picture import Picture, picture
from labkit.notebook.servers import environment_for_kernels, get_services
from labkit.notebook.source import Source, compare, show

__all__ = [
    "Picture",
    "Source",
    "check",
    "compare",
    "environment_for_kernels",
    "get_services",
    "hint",
    "load_ipython_extension",
    "measured",
    "picture",
    "predict",
    "show",
    "solution",
    "story_folder",
    "unload_ipython_extension",
]
