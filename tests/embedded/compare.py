"""
Does the embedded server answer as MySQL does? Send the same statements to both and compare the answers.

    python tests/embedded/compare.py                             1,500 statements, with MySQL in a container
    python tests/embedded/compare.py --statements 20000 --seed 7
    python tests/embedded/compare.py --with local                with MariaDB, which differs from MySQL itself
    python tests/embedded/compare.py --refused                   list what the embedded server refuses, too
    python tests/embedded/compare.py --json

A script is a list of statements on up to three connections, and its tables. `written.sql` holds those
that are written by hand; `statements.py` generates the others from the seed, by the rules of `grammar.txt`. Both
servers get each statement in the same order through asyncmy. An answer is the rows with their names and Python
types, or the affected rows and the insert id, or the error with its number and its text. A statement is *refused*
if the embedded server answers with error 1235; it is then not sent to MySQL. Rows without an ORDER BY are compared
in any order.

Exit status: 0 if no answer was different, 1 if one was, 2 for wrong usage or without a MySQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncmy
from asyncmy.constants.CLIENT import FOUND_ROWS
from rich.console import Console
from rich.progress import track
from sqlalchemy import make_url
from statements import Script, generate

from labkit.errors import LabkitError
from labkit.services import Services, start_services

WRITTEN = Path(__file__).with_name("written.sql")
REFUSED = 1235
PATIENCE = 10.0  # seconds for one answer; a lock is waited for for one second
UNREADABLE = -1
SYNTAX_ERROR = 1064  # its text quotes where the parser gave up: the number is compared


@dataclass(frozen=True)
class Answer:
    """What a server says to one statement."""

    names: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    """Each row as Python writes it, so that 1 differs from Decimal('1')."""
    affected: int = 0
    insert_id: int = 0
    error: int = 0
    text: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"{self.error} {self.text}"
        if self.names:
            return f"{', '.join(self.names)}: {'; '.join(self.rows) or 'no row'}"
        return f"{self.affected} affected, insert id {self.insert_id}"


@dataclass
class Difference:
    """A statement that was answered otherwise, and what came before it in its script."""

    script: str
    before: list[str]
    statement: str
    embedded: str
    other: str


@dataclass
class Report:
    """The counts of one run."""

    embedded: str
    other: str
    seed: int
    same: int = 0
    errors: int = 0
    """How many of the same answers were errors."""
    refused: Counter[str] = field(default_factory=Counter)
    different: list[Difference] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return what is printed."""
        refused = self.refused.total()
        sent = self.same + refused + len(self.different)
        return {"sent": sent, "same": self.same, "same errors": self.errors, "refused": refused,
                "different": len(self.different)}  # fmt: skip


class Client:
    """The connections of one script to one server."""

    def __init__(self, url: str, found_rows: bool) -> None:
        self._url = make_url(url)
        self._flag = FOUND_ROWS if found_rows else 0
        self._database = re.compile(rf"(?<![a-z]){self._url.database}(?![a-z])")
        self._connections: dict[int, Any] = {}

    async def ask(self, number: int, sql: str, ordered: bool) -> Answer:
        """Send one statement and return its answer."""
        if number not in self._connections:
            self._connections[number] = await self._connect()
        async with asyncio.timeout(PATIENCE), self._connections[number].cursor() as cursor:
            try:
                await cursor.execute(sql)
                if cursor.description is None:
                    return Answer(affected=cursor.rowcount, insert_id=cursor.lastrowid or 0)
                rows = [self._common(repr(tuple(row))) for row in await cursor.fetchall()]
                names = tuple(self._common(column[0]) for column in cursor.description)
                return Answer(names, tuple(rows if ordered else sorted(rows)))
            except asyncmy.errors.MySQLError as error:
                code, text = error.args
                return Answer(error=code, text="" if code == SYNTAX_ERROR else self._common(text))
            except (ValueError, ArithmeticError) as error:
                del self._connections[number]
                return Answer(error=UNREADABLE, text=f"the driver can't read the answer: {error}")

    def _common(self, text: str) -> str:
        return self._database.sub("DATABASE", text)

    async def _connect(self) -> Any:
        url = self._url
        return await asyncmy.connect(
            host=url.host, port=url.port, user=url.username, password=url.password or "", db=url.database,
            charset="utf8mb4", autocommit=True, client_flag=self._flag,
            init_command="SET innodb_lock_wait_timeout = 1",
        )  # fmt: skip

    async def close(self) -> None:
        """End the connections, and drop every table."""
        for connection in self._connections.values():
            connection.close()
        connection = await self._connect()
        async with connection.cursor() as cursor:
            await cursor.execute("SET foreign_key_checks = 0")
            await cursor.execute("SHOW TABLES")
            for [name] in await cursor.fetchall():
                await cursor.execute(f"DROP TABLE `{name}`")
        connection.close()


@asynccontextmanager
async def clients(*urls: str, found_rows: bool) -> AsyncIterator[list[Client]]:
    """Return a client for each server."""
    opened = [Client(url, found_rows) for url in urls]
    try:
        yield opened
    finally:
        for each in opened:
            await each.close()


async def compare(script: Script, urls: Sequence[str], report: Report) -> None:
    """Send one script to both servers."""
    before: list[str] = []
    async with clients(*urls, found_rows=script.found_rows) as (embedded, other):
        for number, sql in script.statements:
            ordered = re.search(r"\border\s+by\b", sql, re.IGNORECASE) is not None
            first = await embedded.ask(number, sql, ordered)
            if first.error == REFUSED:
                report.refused[first.text] += 1
                continue
            second = await other.ask(number, sql, ordered)
            if first == second:
                report.same += 1
                report.errors += bool(first.error)
            else:
                report.different.append(Difference(script.name, before.copy(), sql, str(first), str(second)))
            before.append(f"{number}: {sql}")


def read_written(path: Path) -> Iterator[Script]:
    """Return the scripts of a file: `-- name` begins one, `2:` before a statement sends it on connection 2."""
    name, statements = "", list[tuple[int, str]]()
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("-- "):
            if statements:
                yield Script(name, statements)
            name, statements = line.removeprefix("-- "), []
        elif line.strip():
            found = re.fullmatch(r"(?:([123]):\s*)?(.*)", line)
            assert found is not None
            statements.append((int(found[1] or 1), found[2]))
    yield Script(name, statements)


async def compare_all(services: Sequence[Services], statements: int, seed: int, *, progress: bool) -> Report:
    """Compare the written scripts, and generated ones until so many statements were sent."""
    report = Report(services[0].versions["mysql"], services[1].versions["mysql"], seed)
    scripts = list(read_written(WRITTEN))
    sent = sum(len(each.statements) for each in scripts)
    source = random.Random(seed)
    while sent < statements:
        scripts.append(generate(source))
        sent += len(scripts[-1].statements)
    for script in track(scripts, "comparing", console=Console(stderr=True), disable=not progress):
        await compare(script, [each.database_url for each in services], report)
    return report


async def run(other: str, statements: int, seed: int, *, progress: bool) -> Report:
    """Start both servers and compare them."""
    async with start_services("embedded") as first, start_services(other) as second:
        return await compare_all([first, second], statements, seed, progress=progress)


def show(report: Report, console: Console, refused: bool) -> None:
    """Print the counts and each difference."""
    for each in report.different:
        console.rule(each.script, align="left")
        console.print("\n".join(each.before[-6:]), style="dim", markup=False, highlight=False)
        console.print(each.statement, style="bold", markup=False, highlight=False)
        console.print(f"  embedded: {each.embedded}\n  other:    {each.other}", markup=False, highlight=False)
    if refused:
        console.rule("refused", align="left")
        for text, count in report.refused.most_common():
            console.print(f"{count:5} {text}", markup=False, highlight=False)
    console.print(f"embedded {report.embedded} against {report.other}, seed {report.seed}", highlight=False)
    console.print(", ".join(f"{count} {name}" for name, count in report.counts().items()), highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=1500, metavar="N", help="send at least so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with", dest="other", default="containers", metavar="PROVIDER")
    parser.add_argument("--refused", action="store_true", help="list what was refused")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    logging.getLogger("asyncmy").setLevel(logging.ERROR)  # it logs each warning of the server
    try:
        work = run(arguments.other, arguments.statements, arguments.seed, progress=sys.stderr.isatty())
        report = asyncio.run(work)
    except LabkitError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if arguments.json:
        differences = [asdict(each) for each in report.different]
        print(json.dumps({**report.counts(), "refusals": report.refused, "differences": differences}, indent=2))
    else:
        show(report, Console(), arguments.refused)
    return 1 if report.different else 0


if __name__ == "__main__":
    sys.exit(main())
