"""pyproject.toml, requirements.lock, environment.yml and all that installs labkit agree."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
CHOSEN = {"sqlalchemy", "aiosqlite", "asyncmy", "redis", "nest-asyncio", "jupyterlab", "testcontainers"}
INSTALLERS = [".ci/run", ".devcontainer/devcontainer.json", ".binder/requirements.txt"]
FILES = [
    "pyproject.toml",
    "requirements.lock",
    "environment.yml",
    ".binder/runtime.txt",
    ".github/workflows/ci.yml",
    *INSTALLERS,
]


def project(root: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return table


def pythons(root: Path) -> list[str]:
    """The Python versions that the project says it supports."""
    stated = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    return [found[1] for line in project(root)["classifiers"] if (found := stated.fullmatch(line))]


def requirements(root: Path) -> list[Requirement]:
    table = project(root)
    lines = [*table["dependencies"], *(line for extra in table["optional-dependencies"].values() for line in extra)]
    return [Requirement(line) for line in lines]


def lock_lines(root: Path) -> list[str]:
    lines = [line.split("#")[0].strip() for line in (root / "requirements.lock").read_text().splitlines()]
    return [line for line in lines if line]


def pins(root: Path) -> list[Requirement]:
    """The lines of the lock that can be read; `faults_of_the_lock` names the others."""
    readable = []
    for line in lock_lines(root):
        try:
            readable.append(Requirement(line))
        except InvalidRequirement:
            continue
    return readable


def faults_of_the_lock(root: Path) -> Iterator[str]:
    exact = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+( ; .+)?")
    for line in lock_lines(root):
        if not exact.fullmatch(line):
            yield f"requirements.lock: not `name==version`: {line}"
    text = (root / "requirements.lock").read_text()
    for address in re.findall(r"\w+://\S*|--\w*(?:index|find-links)\S*\s\S+|/(?:tmp|home|root|work)\S*", text):
        yield f"requirements.lock: holds an address: {address}"


def faults_of_the_pins(root: Path) -> Iterator[str]:
    """Each requirement has one pin on each supported Python, at a version that its bound allows."""
    extras, locked, supported = project(root)["optional-dependencies"], pins(root), pythons(root)
    for wanted in requirements(root):
        if wanted.name == "labkit":
            yield from (f"pyproject.toml: no extra is called {name}" for name in wanted.extras - set(extras))
            continue
        for python in supported:
            here = {"python_version": python, "python_full_version": f"{python}.9"}
            found = [
                pin
                for pin in locked
                if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
                and (pin.marker is None or pin.marker.evaluate(here))
            ]
            versions = [str(pin.specifier).removeprefix("==") for pin in found]
            if len(versions) != 1 or not wanted.specifier.contains(versions[0], prereleases=True):
                yield f"requirements.lock: {wanted} on Python {python} is pinned to {versions or 'nothing'}"


def faults_of_the_project(root: Path) -> Iterator[str]:
    named = {canonicalize_name(wanted.name) for wanted in requirements(root)}
    yield from (f"pyproject.toml: does not name {name}" for name in sorted(CHOSEN - named))
    allowed = SpecifierSet(project(root)["requires-python"])
    yield from (f"pyproject.toml: refuses Python {one}" for one in pythons(root) if one not in allowed)


def faults_of_conda(root: Path) -> Iterator[str]:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    if environment["channels"] != ["conda-forge"]:
        yield f"environment.yml: channels are {environment['channels']}"
    plain = [line for line in environment["dependencies"] if isinstance(line, str)]
    through_pip = [
        line for entry in environment["dependencies"] if isinstance(entry, dict) for line in entry["pip"]
    ]
    names = {re.split(r"[=<>]", line)[0].strip() for line in plain}
    yield from (
        f"environment.yml: no {name}" for name in ("mysql-server", "redis-server", "pip") if name not in names
    )
    python = [line.removeprefix("python=") for line in plain if line.startswith("python=")]
    if len(python) != 1 or python[0] not in pythons(root):
        yield f"environment.yml: Python {python} is not one of {pythons(root)}"
    if sorted(through_pip) != ["-c requirements.lock", "-e .[lab,test]"]:
        yield f"environment.yml: pip installs {through_pip}"


def faults_of_the_installers(root: Path) -> Iterator[str]:
    """Wherever labkit is installed from the tree, the same line or the line before names the lock."""
    for name in INSTALLERS:
        text = (root / name).read_text()
        installed = re.findall(r"-e '?\.\[", text)
        locked = re.findall(r"-c (?:\.\./)?requirements\.lock\s+-e '?\.\[", text)
        if not installed or len(installed) != len(locked):
            yield f"{name}: installs labkit without the lock"
    jobs = yaml.safe_load((root / ".github/workflows/ci.yml").read_text())["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    commands = "\n".join(step.get("run", "") for step in steps)
    if "bash .ci/run" not in commands or commands.count("install -c requirements.lock") != commands.count(
        "pip install"
    ):
        yield ".github/workflows/ci.yml: does not run .ci/run, or installs labkit without the lock"
    for action in (step["uses"] for step in steps if "uses" in step):
        if not re.fullmatch(r".+@[0-9a-f]{40}", action):
            yield f".github/workflows/ci.yml: {action} is not pinned by a commit"
    image = json.loads((root / ".devcontainer/devcontainer.json").read_text())["image"]
    runtime = (root / ".binder/runtime.txt").read_text().strip()
    for where, python in [("devcontainer", image.rpartition(":")[2]), (".binder", runtime.removeprefix("python-"))]:
        if python not in pythons(root):
            yield f"{where}: Python {python} is not one of {pythons(root)}"


def faults(root: Path) -> list[str]:
    """All in which these files disagree."""
    return [
        *faults_of_the_lock(root),
        *faults_of_the_pins(root),
        *faults_of_the_project(root),
        *faults_of_conda(root),
        *faults_of_the_installers(root),
    ]


def test_everything_that_installs_labkit_agrees() -> None:
    assert faults(ROOT) == []


def test_the_supported_pythons_are_those_that_were_run() -> None:
    assert pythons(ROOT) == ["3.11", "3.12", "3.13", "3.14"]


WRONG = {
    "a pin below the bound": ("requirements.lock", r"(?m)^redis==\S+", "redis==6.4.0", "redis>=7.0"),
    "a pin that is missing": ("requirements.lock", r"(?m)^asyncmy==\S+\n", "", "asyncmy"),
    "a pin for one Python only": (
        "requirements.lock",
        r"(?m)^(typer==\S+)",
        r"\1 ; python_version < '3.13'",
        "typer",
    ),
    "two pins at once": ("requirements.lock", r"(?m)^(rich==)\S+", r"\g<0>\n\g<1>14.0.0", "rich"),
    "a bound": ("requirements.lock", r"(?m)^aiosqlite==", "aiosqlite>=", "not `name==version`"),
    "an extra in the lock": (
        "requirements.lock",
        r"(?m)^sqlalchemy==",
        "sqlalchemy[asyncio]==",
        "not `name==version`",
    ),
    "an index": ("requirements.lock", r"\A", "# --index-url files://here/simple\n", "holds an address"),
    "a path": ("requirements.lock", r"\A", "# made in /home/somebody/labkit\n", "holds an address"),
    "a library not named": ("pyproject.toml", r'    "nest-asyncio[^\n]*\n', "", "does not name nest-asyncio"),
    "a bound raised and not locked": ("pyproject.toml", r"aiosqlite>=[\d.]+", "aiosqlite>=99", "aiosqlite>=99"),
    "an extra that is not there": ("pyproject.toml", r"labkit\[lab\]", "labkit[lob]", "no extra is called lob"),
    "a Python refused": ("pyproject.toml", r'requires-python = ">=3\.11"', 'requires-python = ">=3.12"', "3.11"),
    "another channel": ("environment.yml", r"  - conda-forge\n", "  - conda-forge\n  - defaults\n", "channels"),
    "no server": ("environment.yml", r"  - mysql-server[^\n]*\n", "", "no mysql-server"),
    "an old Python for conda": ("environment.yml", r"python=3\.\d+", "python=3.10", "3.10"),
    "conda without the lock": ("environment.yml", r"      - -c requirements\.lock\n", "", "pip installs"),
    "a container without the lock": (
        ".devcontainer/devcontainer.json",
        "-c requirements.lock ",
        "",
        "without the lock",
    ),
    "a container with an old Python": (".devcontainer/devcontainer.json", r"python:3\.\d+", "python:3.9", "3.9"),
    "Binder without the lock": (".binder/requirements.txt", r"-c \S+\n", "", "without the lock"),
    "Binder with an old Python": (".binder/runtime.txt", r"3\.\d+", "3.8", "3.8"),
    "CI without the lock": (".ci/run", "-c requirements.lock ", "", "without the lock"),
    "a workflow of its own": (
        ".github/workflows/ci.yml",
        r"bash \.ci/run",
        "pip install .",
        "does not run .ci/run",
    ),
    "an action by its tag": (".github/workflows/ci.yml", r"checkout@\w+", "checkout@v5", "not pinned by a commit"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_disagreement_is_found(wrong: str, tmp_path: Path) -> None:
    name, pattern, replacement, named = WRONG[wrong]
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    changed, count = re.subn(pattern, replacement, (tmp_path / name).read_text(), count=1)
    assert count == 1
    (tmp_path / name).write_text(changed)

    found = faults(tmp_path)

    assert any(named in fault for fault in found), found
