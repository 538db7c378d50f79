"""The embedded server answers as MySQL does, or refuses; `compare.py` is the whole comparison."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from labkit.services import Services, start_services

sys.path.append(str(Path(__file__).parent))
from compare import Answer, compare_all, read_written
from statements import generate


@pytest.mark.push
@pytest.mark.providers("containers")
async def test_nothing_is_answered_otherwise(clean_services: Services) -> None:
    async with start_services("embedded") as embedded:
        report = await compare_all([embedded, clean_services], 1500, 1, progress=False)

    assert [(each.statement, each.embedded, each.other) for each in report.different] == []
    assert report.same > 1000


@pytest.mark.providers("embedded")
async def test_a_server_answers_like_itself(clean_services: Services) -> None:
    """Two answers that differ without a cause would make the comparison worthless."""
    async with start_services("embedded") as other:
        report = await compare_all([other, clean_services], 300, 2, progress=False)

    assert report.different == []
    assert report.errors > 0


def test_answers_differ_in_type_order_error_and_count() -> None:
    answers = [
        Answer(("a",), ("(1,)",)),
        Answer(("a",), ("(Decimal('1'),)",)),
        Answer(("b",), ("(1,)",)),
        Answer(affected=1),
        Answer(error=1062, text="Duplicate entry '1' for key 'a'"),
        Answer(error=1062, text="Duplicate entry '1' for key 'b'"),
    ]
    assert len(set(answers)) == len(answers)


def test_the_same_seed_writes_the_same_script() -> None:
    assert generate(Random(3)) == generate(Random(3))
    assert generate(Random(3)) != generate(Random(4))


def test_a_written_script_has_its_connections(tmp_path: Path) -> None:
    path = tmp_path / "written.sql"
    path.write_text("-- one\nSELECT 1\n\n2: SELECT 2\n-- two\n3: COMMIT\n")

    scripts = [(each.name, each.statements) for each in read_written(path)]

    assert scripts == [("one", [(1, "SELECT 1"), (2, "SELECT 2")]), ("two", [(3, "COMMIT")])]
