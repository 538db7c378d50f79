"""`labkit bugs`: what it prints, and its exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labkit.bugs import bugs, find_bug

from .conftest import Finished, Labkit

LABKIT = [sys.executable, "-m", "labkit", "bugs"]  # where signals come


@pytest.mark.learner_path
def test_the_list_has_every_bug(labkit: Labkit) -> None:
    finished = labkit("bugs", "list")

    assert finished.returncode == 0, finished.stderr
    for bug in bugs():
        assert bug.name in finished.stdout
        assert (bug.finding or "no finding") in finished.stdout


def test_the_list_as_json_is_the_catalogue(labkit: Labkit) -> None:
    listed = json.loads(labkit("bugs", "list", "--json").stdout)

    assert [each["name"] for each in listed] == [bug.name for bug in bugs()]
    assert all(each["symptom"] and each["breaks"] for each in listed)


def test_the_list_is_searched_by_the_error_that_somebody_has(labkit: Labkit) -> None:
    listed = [each["name"] for each in json.loads(labkit("bugs", "list", "event LOOP is closed", "--json").stdout)]
    nothing = labkit("bugs", "list", "no such words")

    assert "registry_rebuilt" in listed
    assert 0 < len(listed) < len(bugs())
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "No bug says 'no such words'" in nothing.stderr


def test_a_bug_is_shown_with_the_lines_that_it_changes(labkit: Labkit) -> None:
    finished = labkit("bugs", "show", "registry_rebuilt")
    bug = find_bug("registry_rebuilt")

    assert finished.returncode == 0, finished.stderr
    assert "-    return self.registry" in finished.stdout
    assert "+    return async_scoped_session(" in finished.stdout
    assert bug.breaks[0].replace("_", " ") in finished.stdout
    for words in (bug.symptom, bug.fix, bug.wrong_fixes[0].why, *bug.sources):
        assert words in finished.stdout


def test_a_bug_as_json_has_its_difference(labkit: Labkit) -> None:
    shown = json.loads(labkit("bugs", "show", "registry_rebuilt", "--json").stdout)

    assert shown["seam"] == "sessions"
    assert shown["changed_lines"] == 4
    assert "\n-    return self.registry\n" in shown["difference"]


@pytest.mark.parametrize("command", ["show", "run"])
def test_an_unknown_name_is_one_line_with_the_nearest_and_exit_2(labkit: Labkit, command: str) -> None:
    finished = labkit("bugs", command, "registry_rebuild")

    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("labkit: There is no bug 'registry_rebuild'. Did you mean registry_rebuilt")
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["registry_rebuilt", "--all"]])
def test_one_bug_or_all_must_be_asked_for(labkit: Labkit, arguments: list[str]) -> None:
    finished = labkit("bugs", "run", *arguments)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert "or --all" in finished.stderr


def test_a_driver_of_another_provider_is_misuse(labkit: Labkit) -> None:
    finished = labkit("bugs", "run", "registry_rebuilt", "--driver", "aiosqlite", "--provider", "embedded")

    assert finished.returncode == 2
    assert "Use asyncmy or aiomysql" in finished.stderr


@pytest.mark.real_servers("push", "full")
def test_broken_stands_beside_correct(labkit: Labkit, provider: str) -> None:
    finished = labkit("bugs", "run", "swallowed_cancellation", "--repeat", "2", "--provider", provider)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.startswith("swallowed_cancellation  as promised\n")
    assert " kept 2 of 2 " in finished.stdout
    assert " broken 2 of 2" in finished.stdout
    assert f"1 of 1 bugs seen as promised on {provider} (" in finished.stdout


def test_a_trial_as_json_is_one_value(labkit: Labkit) -> None:
    finished = labkit("bugs", "run", "swallowed_cancellation", "--json", "--driver", "aiosqlite")
    [trial] = json.loads(finished.stdout)

    assert finished.returncode == 0, finished.stderr
    assert (trial["bug"], trial["driver"], trial["as_promised"]) == ("swallowed_cancellation", "aiosqlite", True)
    assert {each["verdicts"][0]["result"] for each in trial["broken"]} == {"broken"}


def test_what_cannot_be_run_here_is_no_success(labkit: Labkit) -> None:
    needy = next(bug for bug in bugs() if "server" in bug.needs)
    finished = labkit("bugs", "run", needy.name, "--provider", "sqlite")

    assert finished.returncode == 1
    assert f"{needy.name}  not run: needs " in finished.stdout
    assert "0 of 0 bugs seen as promised, 1 not run" in finished.stdout


RUN = ("run", "registry_rebuilt", "--repeat", "1000", "--json", "--stress")
PLAY = ("play", "shared_session")


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("arguments", "sign"), [(RUN, "(1 of 1)"), (PLAY, "Who goes on?")], ids=["while it runs", "while it asks"]
)
def test_interrupted_it_leaves_nothing(
    arguments: tuple[str, ...], sign: str, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [*LABKIT, *arguments],
        env=os.environ | {"TMPDIR": str(tmp_path), "FORCE_COLOR": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A shell's background job is deaf to SIGINT, and so are its children: not this one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    seen = b""
    while sign.encode() not in seen:
        seen += (more := process.stdout.read1())
        assert more, seen
    began = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == status
    assert b"Traceback" not in output
    assert psutil.wait_procs(began, timeout=10)[1] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_coverage")
@pytest.mark.push
def test_a_long_run_that_is_stopped_keeps_what_it_has_seen_as_json() -> None:
    process = subprocess.Popen(
        [*LABKIT, "run", "--all", "--json", "--driver", "aiosqlite"],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    seen = b""
    while b'"as_promised"' not in seen:
        seen += (more := process.stdout.read1())
        assert more, seen
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)

    trials = json.loads(seen + rest)
    assert process.returncode == 130
    assert 1 <= len(trials) < len(bugs())
    assert trials[0]["bug"] == bugs()[0].name


def play(labkit: Labkit, name: str, keys: str, *options: str) -> Finished:
    return labkit("bugs", "play", name, *options, stdin=keys)


def test_a_learner_who_takes_the_first_choice_sees_the_bug(labkit: Labkit) -> None:
    finished = play(labkit, "shared_session", "1\n" * 9)

    assert finished.returncode == 0, finished.stderr
    assert "ada → session A, in a transaction" in finished.stdout
    assert "connection 1 by ada" in finished.stdout
    assert "broken: expected: nothing of a block that failed; got: 1 in place of 0" in finished.stdout
    assert "kept, in the same order" in finished.stdout


def test_a_learner_can_find_an_order_that_hides_the_bug(labkit: Labkit) -> None:
    finished = play(labkit, "shared_session", "1\n2\n1\n1\n")

    assert finished.returncode == 0, finished.stderr
    assert re.search(r"broken engine +kept *\n", finished.stdout)


def test_what_is_no_choice_is_asked_again(labkit: Labkit) -> None:
    finished = play(labkit, "shared_session", "7\nada\n\n" + "1\n" * 9)

    assert finished.returncode == 0, finished.stderr
    assert "'7' is no choice here." in finished.stdout
    assert "'ada' is no choice here." in finished.stdout


@pytest.mark.parametrize("keys", ["q\n", "1\nq\n", ""], ids=["at once", "in the middle", "end of input"])
def test_who_leaves_is_told_that_nothing_is_left(labkit: Labkit, keys: str) -> None:
    finished = play(labkit, "shared_session", keys)

    assert finished.returncode == 1, finished.stderr
    assert "Left: the tasks were cancelled" in finished.stdout
    assert "Traceback" not in finished.stderr


def test_a_bug_without_an_order_can_not_be_played_and_others_are_named(labkit: Labkit) -> None:
    finished = play(labkit, "never_closed", "")

    assert finished.returncode == 2
    assert "does not depend on which task goes first" in finished.stderr
    assert "shared_session" in finished.stderr


def test_a_promise_that_is_not_broken_names_those_that_are(labkit: Labkit) -> None:
    finished = play(labkit, "shared_session", "", "--clause", "nonsense")

    assert finished.returncode == 2
    assert "the_end_of_another_task_commits_nothing" in finished.stderr
