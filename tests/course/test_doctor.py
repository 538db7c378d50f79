"""What the doctor looks at, and what it says of a machine that lacks something."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from labkit.course import doctor
from labkit.course.doctor import Check, examine, is_fit, read_lock
from labkit.errors import InvalidSetting

ROOT = Path(__file__).parents[2]


@pytest.mark.learner_path
@pytest.mark.real_servers("push", "full")
def test_the_chosen_provider_is_really_started(provider: str) -> None:
    checks = examine(provider)

    [start] = [check for check in checks if check.name == f"start of {provider}"]
    assert (start.state, is_fit(checks)) == ("ok", True), start


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="no provider 'none'"):
        examine("none")


def test_only_the_chosen_provider_decides() -> None:
    missing = Check("provider containers", "failed", "no Docker")

    assert is_fit([missing, Check("start of embedded", "ok", "")])
    assert not is_fit([missing, Check("start of containers", "failed", "")])


def test_a_provider_that_nobody_chose_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABKIT_DATABASE_URL", raising=False)

    assert doctor.check_provider("url", "embedded").state == "warning"
    assert doctor.check_provider("url", "url").state == "failed"


def test_a_lock_is_read_for_this_python_only() -> None:
    lock = """
# made by a tool
asyncmy==0.2.18
    # via labkit
old==1.0 ; python_full_version < '3.0'
here==2.0 ; python_full_version >= '3.0'
"""
    assert dict(read_lock(lock)) == {"asyncmy": "0.2.18", "here": "2.0"}


def test_a_lock_is_read_as_far_as_it_goes_without_packaging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)

    assert dict(read_lock("a==1\nb==2 ; python_version > '3'\n")) == {"a": "1"}


def test_without_a_lock_there_is_nothing_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOCK", tmp_path / "requirements.lock")

    assert doctor.check_packages() == Check(
        "packages", "ok", "installed without a lock: nothing to compare them with"
    )


def test_packages_that_differ_from_the_lock_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.lock").write_text("pytest==0.1\nno-such-package==1\n")
    monkeypatch.setattr(doctor, "LOCK", tmp_path / "requirements.lock")

    check = doctor.check_packages()

    assert (check.state, check.found) == (
        "warning",
        f"not as in requirements.lock: pytest {pytest.__version__} (lock: 0.1)",
    )


def test_the_pythons_of_the_package_are_those_that_are_tested() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    pythons = re.findall(r"Python :: 3\.(\d+)", "\n".join(classifiers))

    assert ((3, min(map(int, pythons))), (3, max(map(int, pythons)))) == doctor.SUPPORTED


def test_a_python_that_nobody_tried_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SUPPORTED", ((2, 6), (2, 7)))

    assert doctor.check_python().state == "warning"


def test_a_missing_temporary_folder_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))

    assert doctor.check_disk().state == "failed"


def test_little_room_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 10**12)

    assert (doctor.check_disk().state, doctor.check_port().state) == ("warning", "ok")


def test_a_missing_kernel_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_kernel().state == "ok"
    monkeypatch.setitem(sys.modules, "ipykernel.kernelspec", None)

    assert doctor.check_kernel().state == "warning"


@pytest.mark.parametrize(("name", "status"), [("sqlite", 0), ("url", 1), ("none", 2)])
def test_the_command_says_by_its_status_whether_the_provider_started(name: str, status: int) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LABKIT_")}

    finished = subprocess.run(
        [sys.executable, "-m", "labkit", "doctor", "--json", "-p", name], capture_output=True, text=True, env=clean
    )

    assert finished.returncode == status, finished.stderr
    if status < 2:
        told = json.loads(finished.stdout)
        assert told["fit"] is (status == 0)
        assert {"name", "state", "found", "remedy"} == set(told["checks"][0])


def test_the_command_prints_a_table_with_the_remedies() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LABKIT_")}

    finished = subprocess.run(
        [sys.executable, "-m", "labkit", "doctor", "-p", "url"],
        capture_output=True,
        text=True,
        env=clean | {"COLUMNS": "200"},
    )

    assert "LABKIT_DATABASE_URL and LABKIT_REDIS_URL not set." in finished.stdout
    assert "Set LABKIT_DATABASE_URL and LABKIT_REDIS_URL" in finished.stdout
