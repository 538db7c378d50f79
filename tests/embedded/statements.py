"""Statements of the kinds that learners write, generated from a seed by the rules of `grammar.txt`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

__all__ = ["Script", "generate"]

LENGTH = 30  # statements of one script beside its tables and rows

TABLES = (
    "CREATE TABLE users (id INTEGER NOT NULL AUTO_INCREMENT, email VARCHAR(60) NOT NULL, name VARCHAR(20), "
    "age INTEGER, balance DECIMAL(8, 2), height DOUBLE, active BOOL NOT NULL DEFAULT 1, joined DATETIME(6), "
    "born DATE, PRIMARY KEY (id), UNIQUE (email))",
    "CREATE TABLE rooms (id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE)",
    "CREATE TABLE messages (id BIGINT NOT NULL AUTO_INCREMENT, room_id INTEGER NOT NULL, author_id INTEGER, "
    "body TEXT NOT NULL, likes INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (id), "
    "FOREIGN KEY(room_id) REFERENCES rooms (id), FOREIGN KEY(author_id) REFERENCES users (id) ON DELETE SET NULL)",
)
# Each column, and the rule that writes a value for it.
COLUMNS = {
    "users": {"id": "integer", "email": "email", "name": "title", "age": "integer", "balance": "money",
              "height": "real", "active": "integer", "joined": "moment", "born": "date"},
    "rooms": {"id": "integer", "name": "title"},
    "messages": {"id": "integer", "room_id": "integer", "author_id": "integer", "body": "title",
                 "likes": "integer"},
}  # fmt: skip
TEXTS = ("email", "title")


@dataclass
class Script:
    """Statements, each with the number of its connection."""

    name: str
    statements: list[tuple[int, str]] = field(default_factory=list)
    found_rows: bool = True
    """Whether UPDATE counts the rows that it found, as SQLAlchemy asks for, or those that it changed."""


def generate(random: Random) -> Script:
    """Return a script: on one connection, or on three that see each other's commits."""
    script = Script("generated", found_rows=random.random() < 0.7)
    grammar = Grammar(random)
    script.statements += [(1, sql) for sql in grammar.tables_and_rows()]
    if random.random() < 0.3:
        script.name = "generated, three connections"
        script.statements += Interleaving(random, grammar).statements()
    else:
        script.statements += [(1, grammar.write("statement")) for _ in range(LENGTH)]
    return script


def read_rules(path: Path) -> dict[str, list[tuple[int, str]]]:
    """Return the rules of a grammar: the ways to write each, with their weights."""
    rules: dict[str, list[tuple[int, str]]] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.endswith(":") and " " not in line:
            ways = rules[line.removesuffix(":")] = []
        elif line and not line.startswith("#"):
            found = re.fullmatch(r"(?:(\d+): )?(.*)", line)
            assert found is not None
            way = re.sub(r"^\\s|\\s$", " ", found[2])
            ways.append((int(found[1] or 1), "" if way == " " else way))
    return rules


RULES = read_rules(Path(__file__).with_name("grammar.txt"))


class Grammar:
    """Write statements by the rules, about the three tables."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._table = "users"
        self._key = ""
        self._number = 0

    def write(self, rule: str) -> str:
        """Return one statement; it is about one table."""
        self._table = self._random.choice(["users", "users", "messages", "rooms"])
        self._key = self._column(TEXTS, ("integer",))
        return self._expand(rule)

    def tables_and_rows(self) -> Iterator[str]:
        """Return what a script begins with."""
        yield from TABLES
        for self._table, ways in (("users", "12345"), ("rooms", ["'lobby'", "'Café'"]), ("messages", "123456")):
            yield f"INSERT INTO {self._table} {self._rows([*ways])}"

    def _rows(self, marks: list[str]) -> str:
        columns = [name for name in COLUMNS[self._table] if name != "id"]
        fixed = {"email": "'user{}@example.org'", "active": "1", "room_id": "1", "likes": "2", "body": "'{}'"}
        rows = []
        for mark in marks:
            values = {name: self._expand(COLUMNS[self._table][name]) for name in columns}
            values |= {name: fixed[name].format(mark) for name in columns if name in fixed}
            values |= {"author_id": self._random.choice(["NULL", "1", "2", "3"])} if "author_id" in columns else {}
            rows.append(", ".join([mark] if self._table == "rooms" else values.values()))
        return f"({', '.join(columns)}) VALUES {', '.join(f'({row})' for row in rows)}"

    def _expand(self, rule: str) -> str:
        weights, ways = zip(*RULES[rule], strict=True)
        [way] = self._random.choices(ways, weights)
        return re.sub(r"{(\w+)}", lambda found: self._fill(found[1]), way)

    def _fill(self, name: str) -> str:
        match name:
            case "table":
                return self._table
            case "column":
                return self._random.choice([*COLUMNS[self._table]])
            case "number":
                return self._column(("integer",))
            case "text":
                return self._column(TEXTS)
            case "key":
                return self._key
            case "id":
                self._number += self._random.random() < 0.5
                return str(self._number)
            case "special":
                return self._expand("special_users" if self._table == "users" else "comparison")
            case "special_total":
                return f"SUM({self._column(('money', 'real') if self._table == 'users' else ('integer',))})"
            case "assignment":
                return self._assignment()
            case "columns_and_rows":
                return self._columns_and_rows()
        return self._expand(name)

    def _column(self, *kinds: tuple[str, ...]) -> str:
        wanted = [kind for each in kinds for kind in each]
        return self._random.choice([name for name, rule in COLUMNS[self._table].items() if rule in wanted])

    def _assignment(self) -> str:
        column = self._random.choice([name for name in COLUMNS[self._table] if name != "id"])
        rule = COLUMNS[self._table][column]
        value = self._random.choice([self._expand(rule)] * 4 + [column, "DEFAULT"])
        if rule == "integer":
            value = self._random.choice([value, f"{column} + 1", f"{column} * 2"])
        return f"{column} = {value}"

    def _columns_and_rows(self) -> str:
        columns = [name for name in COLUMNS[self._table] if name != "id" or self._random.random() < 0.2]
        chosen = [name for name in columns if self._random.random() < 0.7] or columns
        rows = [
            ", ".join(
                self._random.choice([self._expand(COLUMNS[self._table][c])] * 9 + ["DEFAULT"]) for c in chosen
            )
            for _ in range(self._random.choice([1, 1, 1, 2]))
        ]
        return f"({', '.join(chosen)}) VALUES {', '.join(f'({row})' for row in rows)}"


class Interleaving:
    """Statements on three connections, of which one at a time has changed or locked rows: nothing waits."""

    def __init__(self, random: Random, grammar: Grammar) -> None:
        self._random, self._grammar = random, grammar
        self._open: set[int] = set()  # connections in a transaction
        self._writer: int | None = None  # the one of them that has changed or locked something

    def statements(self) -> list[tuple[int, str]]:
        """Return them; every transaction ends."""
        levels = ["REPEATABLE READ"] * 3 + ["READ COMMITTED"]
        begin = "SET SESSION TRANSACTION ISOLATION LEVEL"
        found = [(number, f"{begin} {self._random.choice(levels)}") for number in (1, 2, 3)]
        found += [self._next() for _ in range(LENGTH)]
        return [*found, *((number, "COMMIT") for number in self._open), (1, "SELECT * FROM rooms ORDER BY id")]

    def _next(self) -> tuple[int, str]:
        number = self._random.choice([1, 2, 3])
        if number not in self._open and self._random.random() < 0.4:
            self._open.add(number)
            return number, self._random.choice(["BEGIN", "BEGIN", "START TRANSACTION WITH CONSISTENT SNAPSHOT"])
        if number in self._open and self._random.random() < 0.2:
            self._open.discard(number)
            self._writer = None if self._writer == number else self._writer
            return number, self._random.choice(["COMMIT", "COMMIT", "ROLLBACK"])
        if self._writer in (None, number) and self._random.random() < 0.4:
            self._writer = number if number in self._open else self._writer
            return number, self._grammar.write("interleaved_write")
        return number, self._grammar.write("interleaved_read")
