"""The JupyterLab side: what notebooks use, the IPython extension, and the launcher of JupyterLab."""

from __future__ import annotations

from labkit.notebook.extension import load_ipython_extension, unload_ipython_extension
from labkit.notebook.picture import Picture, picture
from labkit.notebook.servers import environment_for_kernels, get_services
from labkit.notebook.source import Source, compare, show

__all__ = [
    "Picture",
    "Source",
    "compare",
    "environment_for_kernels",
    "get_services",
    "load_ipython_extension",
    "picture",
    "show",
    "unload_ipython_extension",
]
