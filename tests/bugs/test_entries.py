"""The catalogue finds its entries by itself, and refuses one that can't be used, naming the file."""

from __future__ import annotations

from pathlib import Path

import pytest

import labkit.bugs
from labkit.bugs import Bug, RegistryRebuilt, bugs, find_bug
from labkit.contract import clauses
from labkit.errors import InvalidInput, InvalidSetting
from labkit.recorder import CODES
from labkit.services import Capability

ENTRY = """
bug = "RegistryRebuilt"
symptom = "The second save raises two errors."
family = "implicit IO"
breaks = ["what_a_block_writes_is_on_the_server_after_it"]
finding = "registry-rebuilt"
unseen = ""
needs = ["server"]
lesson = "ch07_who_is_my_session"
fix = "Build the registry once."
sources = ["https://example.org/1"]

[texts]
asyncmy = ["RuntimeError: Event loop is closed"]
aiomysql = []
aiosqlite = []

[[wrong_fixes]]
do = "A bigger pool."
why = "It is lost all the same."

[[wrong_fixes]]
do = "Catch the error."
why = "Nobody raises it to you."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a catalogue of one bug."""
    (tmp_path / "registry_rebuilt.toml").write_text(ENTRY)
    return tmp_path


def refused(folder: Path, old: str, new: str) -> str:
    """Return what is said of an entry in which `old` has become `new`."""
    assert old in ENTRY
    (folder / "registry_rebuilt.toml").write_text(ENTRY.replace(old, new))
    with pytest.raises(InvalidSetting) as error:
        bugs(folder)
    return str(error.value)


def test_an_entry_is_read_from_its_file(folder: Path) -> None:
    [bug] = bugs(folder)

    assert (bug.name, bug.finding, bug.needs) == ("registry_rebuilt", "registry-rebuilt", (Capability.SERVER,))
    assert bug.texts.of("asyncmy") == ("RuntimeError: Event loop is closed",)
    assert [each.do for each in bug.wrong_fixes] == ["A bigger pool.", "Catch the error."]


def test_the_engine_is_found_by_name(folder: Path) -> None:
    assert find_bug("registry_rebuilt", folder).engine_class is RegistryRebuilt


@pytest.mark.parametrize("bug", bugs(), ids=lambda each: each.name)
def test_each_engine_can_be_had_by_its_own_name(bug: Bug) -> None:
    assert getattr(labkit.bugs, bug.class_name) is bug.engine_class


def test_bugs_come_in_alphabetical_order(folder: Path) -> None:
    for name in ("scope_by_id", "ghost", "pool_too_big"):
        (folder / f"{name}.toml").write_text(ENTRY)

    assert [bug.name for bug in bugs(folder)] == ["ghost", "pool_too_big", "registry_rebuilt", "scope_by_id"]


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no bug 'registry-rebuild'. Did you mean registry_rebuilt\?"):
        find_bug("registry-rebuild", folder)


def test_a_name_that_is_like_no_other_is_answered_with_the_list(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="See `labkit bugs list`"):
        find_bug("zzz", folder)


def test_a_name_can_not_leave_the_catalogue(folder: Path) -> None:
    with pytest.raises(InvalidInput):
        find_bug(f"../{folder.name}/registry_rebuilt", folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('family = "implicit IO"\n', "", "family: Field required"),
        (
            'family = "implicit IO"',
            'family = "implicit IO"\ncolour = "red"',
            "colour: Extra inputs are not permitted",
        ),
        ('family = "implicit IO"', 'family = ""', "family: String should have at least 1 character"),
        ("aiosqlite = []\n", "", "texts: aiosqlite: Field required"),
        ('do = "A bigger pool."\n', "", "wrong_fixes: 0: do: Field required"),
        ('needs = ["server"]', 'needs = ["sever"]', "needs: 0: Input should be 'server'"),
        ('unseen = ""', 'unseen = "It looks elsewhere."', "say in `unseen` why there is none"),
        ('finding = "registry-rebuilt"', 'finding = ""', "say in `unseen` why there is none"),
        ('family = "implicit IO"', 'name = "other"', "multiple values for keyword argument 'name'"),
        ('family = "implicit IO"', "family = ", "Invalid value"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_with_its_file(
    folder: Path, old: str, new: str, words: str
) -> None:
    said = refused(folder, old, new)

    assert str(folder / "registry_rebuilt.toml") in said
    assert words in said


def test_one_wrong_fix_is_not_enough(folder: Path) -> None:
    last = ENTRY[ENTRY.rindex("[[wrong_fixes]]") :]

    assert "wrong_fixes: Tuple should have at least 2 items" in refused(folder, last, "")


def test_a_driver_that_nobody_knows_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="Use one of: asyncmy, aiomysql, aiosqlite"):
        find_bug("registry_rebuilt", folder).texts.of("pymysql")


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)
def test_an_entry_names_clauses_and_findings_that_there_are(bug: Bug) -> None:
    assert set(bug.breaks) <= {clause.name for clause in clauses()}
    assert len(set(bug.breaks)) == len(bug.breaks)
    assert not bug.finding or bug.finding in CODES
