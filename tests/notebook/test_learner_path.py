"""A learner's way through a lesson, in the real JupyterLab, in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, of the extra dev, is not installed here")
Locator, Page, expect = sync_api.Locator, sync_api.Page, sync_api.expect

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "lessons" / "ch04_houston"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60_000  # milliseconds for JupyterLab to answer, on a busy machine

pytestmark = [
    pytest.mark.push,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here"),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def address(tmp_path: Path, home: Path) -> Iterator[str]:
    """Start `labkit lab` in a copy of the course, and give the address that it prints."""
    copy = tmp_path / "course"
    for name in ("labkit", "lessons", "notebooks"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    process = subprocess.Popen(
        [sys.executable, "-m", "labkit", "lab", "--no-browser", "--provider", "embedded"],
        cwd=copy,
        env={
            **os.environ,
            "LABKIT_HOME": str(home),
            "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    printed = ""
    found = None
    while found is None:
        printed += (line := process.stdout.readline())
        assert line, printed
        found = re.search(r"(http://127\.0\.0\.1:\d+/lab)\S*\?token=(\w+)", line)
    try:
        yield f"{found[1]}/tree/04_houston.ipynb?token={found[2]}"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130


@contextmanager
def browser(address: str) -> Iterator[Page]:
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        # What is run before the kernel is there is lost.
        expect(page.locator("#jp-bottom-panel")).to_contain_text("| Idle", timeout=PATIENCE)
        yield page
        chromium.close()


def cell(page: Page, text: str) -> Locator:
    """Return the code cell that holds this text, scrolled into view: JupyterLab draws only those that are."""
    found = page.locator(".jp-CodeCell", has_text=text).first
    page.locator(".jp-WindowedPanel-outer").hover()
    while not found.count():
        seen = page.locator(".jp-Notebook").inner_text()
        page.mouse.wheel(0, 600)
        page.wait_for_function("before => document.querySelector('.jp-Notebook').innerText != before", arg=seen)
    found.scroll_into_view_if_needed()
    return found


def run(page: Page, text: str, write: str = "") -> None:
    """Run a cell, with other code if there is some to write, and wait until it has been run."""
    chosen = cell(page, text)
    chosen.locator(".cm-content").click()
    if write:
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(write)
    page.keyboard.press("Shift+Enter")
    written = page.locator(".jp-CodeCell", has_text=write.partition("\n")[0]).first if write else chosen
    expect(written.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=PATIENCE)


def shows(page: Page, text: str) -> None:
    expect(page.locator(".jp-OutputArea-output", has_text=text).first).to_be_visible(timeout=PATIENCE)


def test_predict_run_a_wrong_fix_a_hint_a_right_fix(address: str, home: Path) -> None:
    wrong, right = (LESSON / name for name in ("wrong_fixes/sleep_a_little.py", "solution.py"))
    with browser(address) as page:
        for setting in ("%load_ext labkit", "def run("):
            run(page, setting)
        run(page, 'predict("the exit status of the test"', 'predict("the exit status of the test", 1)')
        run(page, 'measured("the exit status of the test"')
        shows(page, "not what you expected")

        run(page, "%%exercise", f"%%exercise ch04_houston\n{wrong.read_text()}")
        shows(page, "Nobody is on the way with it.")
        run(page, "# hint()", "hint()")
        shows(page, "Hint 1 of 3")
        run(page, "%%exercise", f"%%exercise ch04_houston\n{right.read_text()}")
        shows(page, "passed")

    progress = json.loads((home / ".labkit" / "progress.json").read_text())
    assert progress["exercises"]["ch04_houston"] == {
        "state": "passed",
        "attempts": 2,
        "hints": 1,
        "solution_seen": False,
    }
    assert progress["predictions"]["the exit status of the test"] == {"predicted": "1", "measured": "0"}
