"""A private temporary folder that is gone afterwards, however this process ends."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labkit.errors import CannotStart
from labkit.process import reaper

__all__ = ["private_folder", "temporary_folder"]

MEGABYTE = 1024 * 1024


def temporary_folder() -> Path:
    """Return the folder for temporary files: TMPDIR as it was set, never quietly another."""
    return Path(os.environ.get("TMPDIR") or tempfile.gettempdir()).absolute()


@contextmanager
def private_folder(megabytes: int = 1) -> Iterator[Path]:
    """
    Make a folder that only this user can read, and remove it with all that is in it.

    Raises `CannotStart` when it can't be made or has less room than `megabytes`.
    """
    # Kept under its name before it is made, so that there is no moment at which it could be left behind.
    folder = temporary_folder() / f"labkit-{secrets.token_hex(6)}"
    reaper.keep("folder", str(folder))
    owner = os.getpid()
    try:
        _make(folder, megabytes)
        yield folder
    finally:
        if os.getpid() == owner:  # and not a child that was forked in the block
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():  # Windows keeps a file that is open: then the reaper removes it after this process
            reaper.release("folder", str(folder))


def _make(folder: Path, megabytes: int) -> None:
    parent = folder.parent
    try:
        folder.mkdir(mode=0o700)
        free = shutil.disk_usage(folder).free // MEGABYTE
    except OSError as fault:
        raise CannotStart(
            f"A temporary folder can't be made in {parent}: {fault.strerror}.",
            remedy="Set TMPDIR to a folder that you can write to.",
        ) from fault
    if free < megabytes:
        raise CannotStart(
            f"Expected {megabytes} MB of temporary space in {parent}, got {free} MB.",
            remedy="Make room there, or set TMPDIR to a folder that has room.",
        )
