"""What a machine needs for the course, and what to do about what it lacks."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labkit.errors import LabkitError
from labkit.process import temporary_folder
from labkit.services import probe, provider_names, services_in_thread
from labkit.services.ports import LOOPBACK
from labkit.services.providers import find_provider
from labkit.settings import install_command, read_settings

__all__ = ["Check", "examine", "is_fit"]

SUPPORTED = ((3, 11), (3, 14))
ROOM = 500  # megabytes: two sets of servers
LOCK = Path(__file__).parents[2] / "requirements.lock"  # of the checkout; a wheel has none
BROUGHT = {"pip", "setuptools", "wheel"}  # by a new virtual environment, in the versions of its Python


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and the one line that fixes it if it is not ok."""

    name: str
    state: Literal["ok", "warning", "failed"]
    found: str
    remedy: str = ""


def examine(provider: str | None = None) -> list[Check]:
    """
    Look at this machine; the chosen provider is really started, and stopped again.

    Raises `InvalidSetting` for a provider that there is not.
    """
    chosen = find_provider(provider or read_settings().provider).name
    return [
        check_python(),
        check_packages(),
        *(check_provider(name, chosen) for name in provider_names()),
        check_start(chosen),
        check_port(),
        check_disk(),
        check_kernel(),
    ]


def is_fit(checks: list[Check]) -> bool:
    """Return whether the chosen provider started."""
    return all(check.state != "failed" for check in checks if check.name.startswith("start of"))


def check_python() -> Check:
    """Look whether this Python is one that labkit is tested on."""
    lowest, highest = SUPPORTED
    version = ".".join(map(str, sys.version_info[:3]))
    found = f"{version} at {sys.executable}"
    if lowest <= sys.version_info[:2] <= highest:
        return Check("Python", "ok", found)
    tested = f"{'.'.join(map(str, lowest))} to {'.'.join(map(str, highest))}"
    return Check("Python", "warning", f"{found}; tested are {tested}", "Use one of those that are tested.")


def check_packages() -> Check:
    """Compare the installed packages with requirements.lock, where there is one."""
    if not LOCK.exists():
        return Check("packages", "ok", "installed without a lock: nothing to compare them with")
    locked = dict(read_lock(LOCK.read_text()))
    installed = {name: found for name in locked if name not in BROUGHT and (found := _installed(name))}
    others = [
        f"{name} {found} (lock: {locked[name]})" for name, found in installed.items() if found != locked[name]
    ]
    if not others:
        return Check("packages", "ok", f"{len(installed)} as in requirements.lock")
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return Check(
        "packages", "warning", f"not as in requirements.lock: {', '.join(others[:3])}{more}", install_command()
    )


def read_lock(text: str) -> Iterator[tuple[str, str]]:
    """Read (name, version) of the lines that hold for this Python; with no `packaging` here, of those for any."""
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:
        Requirement = None  # type: ignore[assignment,misc]
    for line in text.splitlines():
        pin, _, marker = line.partition(";")
        name, equals, version = pin.strip().partition("==")
        if not equals or name.startswith("#"):
            continue
        if not marker:
            yield name, version
        elif Requirement is not None:
            condition = Requirement(line).marker
            if condition is None or condition.evaluate():
                yield name, version


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def check_provider(name: str, chosen: str) -> Check:
    """Look whether a provider is found here; one that was not chosen may be missing."""
    found = probe(name)
    title = f"provider {name}"
    if found.found:
        return Check(title, "ok", found.version)
    return Check(title, "failed" if name == chosen else "warning", found.reason, found.remedy)


def check_start(chosen: str) -> Check:
    """Start the chosen provider, and stop it again."""
    title = f"start of {chosen}"
    began = time.perf_counter()
    try:
        with services_in_thread(chosen) as services:
            took = time.perf_counter() - began
            versions = ", ".join(f"{server} {version}" for server, version in services.versions.items())
    except LabkitError as error:
        return Check(title, "failed", error.message, error.remedy)
    return Check(title, "ok", f"{versions}, in {took:.1f} s")


def check_port() -> Check:
    """Look whether a server may listen on the loopback interface."""
    try:
        with socket.socket() as listener:
            listener.bind((LOOPBACK, 0))
            return Check("free port", "ok", f"{LOOPBACK}:{listener.getsockname()[1]}")
    except OSError as fault:
        return Check(
            "free port", "failed", f"no port on {LOOPBACK}: {fault.strerror}", "Allow listening on loopback."
        )


def check_disk() -> Check:
    """Look how much room the servers' files have."""
    folder = temporary_folder()
    try:
        free = shutil.disk_usage(folder).free // 1024**2
        writable = os.access(folder, os.W_OK)
    except OSError as fault:
        return Check("disk", "failed", f"{folder}: {fault.strerror}", "Set TMPDIR to a folder that is there.")
    if not writable:
        return Check(
            "disk", "failed", f"{folder} can't be written", "Set TMPDIR to a folder that you can write to."
        )
    state: Literal["ok", "warning"] = "ok" if free >= ROOM else "warning"
    return Check("disk", state, f"{free} MB free in {folder}", "" if free >= ROOM else f"Make {ROOM} MB free.")


def check_kernel() -> Check:
    """Look for the Jupyter kernel of this very Python."""
    try:
        from ipykernel.kernelspec import KERNEL_NAME
        from jupyter_client.kernelspec import KernelSpecManager
    except ModuleNotFoundError as missing:
        return Check("Jupyter kernel", "warning", f"the package {missing.name} is missing", install_command())
    program = KernelSpecManager().get_kernel_spec(KERNEL_NAME).argv[0]
    # Jupyter runs a kernel that just says "python" with its own Python.
    if program in (sys.executable, "python", "python3", f"python3.{sys.version_info.minor}"):
        return Check("Jupyter kernel", "ok", f"{KERNEL_NAME}: {sys.executable}")
    return Check(
        "Jupyter kernel",
        "warning",
        f"{KERNEL_NAME} runs {program}, not {sys.executable}",
        f"{sys.executable} -m ipykernel install --sys-prefix",
    )
