"""A private folder can be read by its owner only, and is gone at the end of its block."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.errors import CannotStart
from labkit.process import private_folder


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder for temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_it_is_gone_with_all_that_is_in_it(parent: Path) -> None:
    with private_folder(1) as folder:
        (folder / "data").mkdir()
        (folder / "data" / "rows").write_text("1")
        assert folder.parent == parent

    assert list(parent.iterdir()) == []


def test_it_is_gone_when_its_block_raises(parent: Path) -> None:
    with pytest.raises(LookupError), private_folder(1):
        raise LookupError

    assert list(parent.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_can_read_it() -> None:
    with private_folder(1) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700


def test_too_little_room_is_told_and_leaves_nothing(parent: Path) -> None:
    with pytest.raises(CannotStart, match="set TMPDIR"), private_folder(10**12):
        pass

    assert list(parent.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_it_is_not_removed_by_a_forked_child() -> None:
    code = """
import os, sys, warnings
from labkit.process import private_folder
warnings.simplefilter("ignore")
with private_folder(1) as folder:
    if not (child := os.fork()):
        sys.exit()
    os.waitpid(child, 0)
    print(folder.exists())
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"True\n"
