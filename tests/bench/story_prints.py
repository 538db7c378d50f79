"""
What the plain story (`lessons/story`) prints: with each driver, SQLAlchemy and Python, as a table in Markdown.

    python tests/bench/story_prints.py
    python tests/bench/story_prints.py --provider containers --python python3.11 --python python3.14

Each row is an environment that is made for it, and needs the packages of PyPI. `script` is `python test_engine.py`;
`collected` is the same with `gc.collect()` after it; `pytest` is `pytest`; `two tests` is pytest-asyncio with a
second test, which uses what the first has left.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from labkit.services import Services, services_in_thread

STORY = Path(__file__).parents[2] / "lessons" / "story"
DRIVERS = ("asyncmy", "aiomysql", "aiosqlite")
RELEASES = ("==2.0.46", ">=2.0.46,<2.1", ">=2.1,<2.2")
OTHERS = ["asyncmy", "aiomysql", "aiosqlite", "cryptography", "pytest", "pytest-asyncio"]
COLLECTED = "import gc, runpy; runpy.run_path('test_engine.py', run_name='__main__'); gc.collect()"
TWO_TESTS = """
import pytest
from engine import DBEngine
from models import User
from sqlalchemy.exc import IntegrityError


@pytest.mark.asyncio
async def test_a_user_is_saved():
    await DBEngine().create_tables()
    await DBEngine().save(User(email="ada@example.org", name="Ada"))


@pytest.mark.asyncio
async def test_the_same_user_is_refused():
    with pytest.raises(IntegrityError):
        await DBEngine().save(User(email="ada@example.org", name="Ada"))
"""
RUNS = {
    "script": ["test_engine.py"],
    "collected": ["-c", COLLECTED],
    "pytest": ["-m", "pytest", "-p", "no:cacheprovider", "test_engine.py"],
    "two tests": ["-m", "pytest", "-p", "no:cacheprovider", "test_two.py"],
}
# In this order: the first that is there says the most.
WORDS = (
    r"RuntimeError: (Event loop is closed)",
    r"RuntimeError: (greenlet is being finalized)",
    r"RuntimeError: (.*attached to a different loop)",
    r"(SAWarning): The garbage collector",
    r"(The garbage collector)",
)


def prints(text: str, status: int) -> str:
    """Return the words of a leak in an output, and how it ended."""
    found = next((match[1] for words in WORDS if (match := re.search(words, text))), "silent")
    return found if status == 0 else f"fails: {found}"


def play(python: Path, url: str) -> Iterator[str]:
    """Run the story in each way in a fresh folder; give what it prints."""
    for command in RUNS.values():
        with tempfile.TemporaryDirectory() as folder:
            for file in STORY.glob("*.py"):
                shutil.copy(file, folder)
            Path(folder, "test_two.py").write_text(TWO_TESTS)
            own = os.environ | {"DATABASE_URL": url.replace("FOLDER", folder), "PYTHONDONTWRITEBYTECODE": "1"}
            ended = subprocess.run(
                [python, *command], cwd=folder, env=own, capture_output=True, text=True, check=False, timeout=120
            )
            yield prints(ended.stdout + ended.stderr, ended.returncode)


def url_of(services: Services, driver: str) -> str:
    """Return the URL of the story's database; FOLDER stands for the folder of a run."""
    if driver == "aiosqlite":
        return "sqlite+aiosqlite:///FOLDER/story.db"
    url = make_url(services.database_url).set(drivername=f"mysql+{driver}")
    return url.render_as_string(hide_password=False)


def environment(python: str, release: str, folder: Path) -> tuple[Path, str]:
    """Make an environment; return its Python, and the versions in it."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    own = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([own, "-m", "pip", "install", "-q", f"sqlalchemy[asyncio]{release}", *OTHERS], check=True)
    code = "import platform, sqlalchemy; print(platform.python_version(), '|', sqlalchemy.__version__)"
    return own, subprocess.run([own, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Print the table, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", help="embedded, local or containers; LABKIT_PROVIDER or embedded without")
    parser.add_argument("--python", action="append", metavar="PATH", help="a Python to try; this one without")
    given = parser.parse_args()
    with services_in_thread(given.provider) as services, tempfile.TemporaryDirectory() as folder:
        servers = ", ".join(f"{name} {version}" for name, version in services.versions.items())
        print(f"{services.provider}: {servers}\n")
        print("| Python | SQLAlchemy | driver |", " | ".join(RUNS), "|")
        print("|---" * (3 + len(RUNS)) + "|")
        for number, python in enumerate(given.python or [sys.executable]):
            for release in RELEASES:
                own, versions = environment(python, release, Path(folder, f"{number}{release[2:6]}{len(release)}"))
                for driver in DRIVERS:
                    cells = " | ".join(play(own, url_of(services, driver)))
                    print(f"| {versions} | {driver} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
