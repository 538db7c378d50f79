"""Programs on this machine: where they are and what they say they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["find_program", "said_version"]

# Servers live where an ordinary user's PATH does not lead, and a notebook's kernel may run without its
# environment being activated.
ELSEWHERE = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/libexec", "/opt/homebrew/bin", "/usr/local/bin")


def find_program(*names: str) -> Path | None:
    """Return the first of `names` found on PATH, beside this Python, or where systems keep their servers."""
    places = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent), *ELSEWHERE]
    for name in names:
        found = shutil.which(name, path=os.pathsep.join(places))
        if found:
            return Path(found)
    return None


def said_version(program: Path) -> str:
    """Return the line that `program --version` prints, "" when it prints none."""
    try:
        said = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip()
