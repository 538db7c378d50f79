"""Every command in README's bash blocks is run by a test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labkit.errors import LabkitError
from labkit.services import probe

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Runs:
    """The command comes to its end with this exit status; it needs this provider."""

    provider: str = "embedded"
    status: int = 0


@dataclass(frozen=True)
class Serves:
    """The command serves until Ctrl-C; it is up when it has printed `ready`."""

    ready: str


@dataclass(frozen=True)
class Elsewhere:
    """The command needs what a test machine lacks; this test proves as much of it as can be proved."""

    test: str


@dataclass(frozen=True)
class FollowsTheFirst:
    """The command changes the environment: it is run in a clean clone, after the first block."""


# How each command after the first two blocks is run. The first block is run in a clean clone by
# `test_the_first_block_sets_up_and_tells_the_story`; the second is what .ci/run runs.
BY_ENVIRONMENT_TEST = Elsewhere("tests/test_environment.py::test_everything_that_installs_labkit_agrees")
DIAGNOSE = (
    ".venv/bin/labkit services exec -- "
    ".venv/bin/labkit diagnose tests/recorder/corpus/tuned/broken/leak_early_return_in_guard.py"
)
HOW: dict[str, Runs | Serves | Elsewhere | FollowsTheFirst] = {
    ".venv/bin/pip install -c requirements.lock -e '.[lab]'": FollowsTheFirst(),
    ".venv/bin/labkit lab": Serves("http://127.0.0.1:"),
    ".venv/bin/labkit list": Runs(),
    ".venv/bin/labkit check ch04": Runs(status=1),
    ".venv/bin/labkit hint ch04": Runs(),
    ".venv/bin/labkit doctor": Runs(),
    ".venv/bin/labkit tour --provider containers": Runs("containers"),
    DIAGNOSE: Runs(status=1),
    '.venv/bin/labkit bugs list "Event loop is closed"': Runs(),
    ".venv/bin/labkit bugs show registry_rebuilt": Runs(),
    ".venv/bin/labkit bugs run registry_rebuilt": Runs(),
    "conda env create -f environment.yml": BY_ENVIRONMENT_TEST,
    "conda activate labkit": BY_ENVIRONMENT_TEST,
    ".venv/bin/labkit services exec --provider embedded -- "
    "python3 -c 'import os; print(os.environ[\"DATABASE_URL\"][:15])'": Runs(),
}


def blocks(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    """The commands of a block, each on one line, without comments."""
    lines = block.replace("\\\n", " ").splitlines()
    stripped = [re.sub(r"\s+", " ", re.sub(r"(^|\s)#.*", "", line)).strip() for line in lines]
    return [line for line in stripped if line]


def readme_blocks() -> list[str]:
    return blocks((ROOT / "README.md").read_text())


def later_commands() -> list[str]:
    return [command for block in readme_blocks()[2:] for command in commands(block)]


def need(provider: str) -> None:
    """Skip unless tests run on this provider: LABKIT_TEST_PROVIDERS names it, or else it is here."""
    if named := os.environ.get("LABKIT_TEST_PROVIDERS"):
        if provider not in named.split(","):
            pytest.skip(f"LABKIT_TEST_PROVIDERS does not name {provider}")
        return
    try:
        probe(provider).require()
    except LabkitError as error:
        pytest.skip(f"{provider}: {error}")


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the reader a folder of files and progress: those of whoever runs the tests are not touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def start(command: str, directory: Path) -> subprocess.Popen[str]:
    """Start a command as a reader would, in bash; what it needs of .venv comes from this environment."""
    foreign = re.compile("(LABKIT_(?!HOME)|PYTEST_|VIRTUAL)")
    own = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=directory,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(command: str, directory: Path) -> tuple[int, str]:
    with start(command, directory) as process:
        printed, _ = process.communicate()
    return process.returncode, printed


def test_every_later_command_is_run_and_nothing_else() -> None:
    assert sorted(set(later_commands())) == sorted(HOW)


@pytest.mark.full  # .ci/run installs by the second block at each change
@pytest.mark.timeout(900)
def test_the_first_block_sets_up_and_tells_the_story(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "clone"], check=True)

    status, printed = run(readme_blocks()[0], tmp_path / "clone")

    assert status == 0, printed
    assert "labkit tour" in readme_blocks()[0]

    for command in [command for command, how in HOW.items() if isinstance(how, FollowsTheFirst)]:
        status, printed = run(command, tmp_path / "clone")

        assert status == 0, printed


def test_the_second_block_sets_up_by_the_lock_and_runs_all_tests() -> None:
    assert "-c requirements.lock" in readme_blocks()[1]
    assert readme_blocks()[1].rstrip().endswith("-m pytest")


@pytest.mark.push
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=pytest.mark.full if how.provider == "containers" else ())
        for command, how in HOW.items()
        if isinstance(how, Runs)
    ],
)
def test_a_command_comes_to_its_end(command: str) -> None:
    how = HOW[command]
    assert isinstance(how, Runs)
    need(how.provider)

    status, printed = run(command.replace(".venv/bin/", f"{BIN}/"), ROOT)

    assert status == how.status, printed
    if command == DIAGNOSE:
        assert without_times(shown_report()) in without_times(printed), printed


def shown_report() -> str:
    """The report that README shows."""
    return re.findall(r"^```text\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[0]


def without_times(text: str) -> str:
    """
    A report in one line, without what differs each time: durations, line breaks, and whether the garbage collector,
    whose time nobody chooses, took a connection back before or after its loop had closed.
    """
    text = re.sub(r"[\d.]+ (µs|ms|s)\b", "TIME", re.sub(r"\s+", " ", text))
    return re.sub(r" (the )?loop #1 closed TIME later;", "", text)


@pytest.mark.push
@pytest.mark.parametrize("command", [command for command, how in HOW.items() if isinstance(how, Serves)])
def test_a_command_serves_until_ctrl_c(command: str) -> None:
    how = HOW[command]
    assert isinstance(how, Serves)
    printed = ""
    with start("exec " + command.replace(".venv/bin/", f"{BIN}/"), ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            printed += line
            if how.ready in line:
                break
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()

    assert how.ready in printed, printed
    assert process.returncode in (0, 130), printed + rest


@pytest.mark.parametrize("command", [command for command, how in HOW.items() if isinstance(how, Elsewhere)])
def test_what_cannot_run_here_is_proved_by_a_test_that_exists(command: str) -> None:
    how = HOW[command]
    assert isinstance(how, Elsewhere)
    path, _, name = how.test.partition("::")

    assert f"def {name}(" in (ROOT / path).read_text()
