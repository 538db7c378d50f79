"""Faults: what the server answers when a statement fails, with MySQL's own numbers, texts and SQLSTATEs."""

from __future__ import annotations

__all__ = ["REFUSED", "SqlFault", "refuse"]

REFUSED = 1235

SQLSTATES = {
    1044: "42000",
    1045: "28000",
    1048: "23000",
    1049: "42000",
    1050: "42S01",
    1051: "42S02",
    1052: "23000",
    1054: "42S22",
    1060: "42S21",
    1061: "42000",
    1062: "23000",
    1064: "42000",
    1065: "42000",
    1091: "42000",
    1094: "HY000",
    1136: "21S01",
    1142: "42000",
    1146: "42S02",
    1193: "HY000",
    1231: "42000",
    1235: "42000",
    1242: "21000",
    1264: "22003",
    1265: "01000",
    1292: "22007",
    1305: "42000",
    1317: "70100",
    1406: "22001",
    1451: "23000",
    1452: "23000",
    3140: "22032",
    3819: "HY000",
}


class SqlFault(Exception):
    """Carry one MySQL error to the client: its number, its text and its SQLSTATE."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)
        self.number = number
        self.text = text

    @property
    def sqlstate(self) -> str:
        """Return the five characters that go with the number."""
        return SQLSTATES.get(self.number, "HY000")


def refuse(what: str) -> SqlFault:
    """Return the fault for SQL that only a real server can run, rather than run it differently."""
    return SqlFault(
        REFUSED,
        f"This version of labkit's embedded server doesn't yet support '{what}'; "
        "use the provider local or containers",
    )
