"""Session variables: what a connection can read, and the few that it can set."""

from __future__ import annotations

import sqlite3
from typing import Any

from labkit.services.embedded.faults import SqlFault, refuse

__all__ = ["VERSION", "Variables"]

VERSION = f"8.4.0-labkit-embedded-sqlite-{sqlite3.sqlite_version}"
SQL_MODE = (
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)

DEFAULTS: dict[str, Any] = {
    "auto_increment_increment": 1,
    "autocommit": 1,
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_database": "utf8mb4",
    "character_set_results": "utf8mb4",
    "character_set_server": "utf8mb4",
    "collation_connection": "utf8mb4_0900_ai_ci",
    "collation_database": "utf8mb4_0900_ai_ci",
    "collation_server": "utf8mb4_0900_ai_ci",
    "default_storage_engine": "InnoDB",
    "foreign_key_checks": 1,
    "innodb_lock_wait_timeout": 50,
    "interactive_timeout": 28800,
    "lower_case_table_names": 0,
    "max_allowed_packet": 67108864,
    "max_connections": 1000,
    "sql_mode": SQL_MODE,
    "system_time_zone": "UTC",
    "time_zone": "SYSTEM",
    "transaction_isolation": "REPEATABLE-READ",
    "transaction_read_only": 0,
    "version": VERSION,
    "version_comment": "labkit's embedded server for teaching",
    "wait_timeout": 28800,
    "net_write_timeout": 60,
    "net_read_timeout": 30,
}
NUMBERS = {
    "innodb_lock_wait_timeout",
    "wait_timeout",
    "interactive_timeout",
    "net_write_timeout",
    "net_read_timeout",
}
SWITCHES = {"autocommit", "foreign_key_checks"}
LEVELS = {"READ-COMMITTED", "REPEATABLE-READ", "SERIALIZABLE"}


class Variables:
    """Hold one connection's variables; a value that the server can't honour is refused, not kept."""

    def __init__(self) -> None:
        self._own: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        try:
            return self._own.get(name.lower(), DEFAULTS[name.lower()])
        except KeyError:
            raise SqlFault(1193, f"Unknown system variable '{name}'") from None

    def get(self, name: str) -> Any:
        """Return a variable's value, or None when the wire protocol asks for one that isn't there."""
        return self._own.get(name.lower(), DEFAULTS.get(name.lower()))

    def set(self, name: str, value: Any, force: bool = False) -> None:
        """Set a variable; `force` is for what the wire protocol notes at login."""
        name = name.lower()
        if force:
            self._own[name] = value
            return
        if name not in DEFAULTS:
            raise SqlFault(1193, f"Unknown system variable '{name}'")
        self._own[name] = self._checked(name, value)

    def _checked(self, name: str, value: Any) -> Any:
        if str(value).upper() == "DEFAULT":
            return DEFAULTS[name]
        if name in SWITCHES:
            return self._switch(name, value)
        if name in NUMBERS:
            if not str(value).isdigit():
                raise SqlFault(1232, f"Incorrect argument type to variable '{name}'")
            return max(1, int(value))
        if name == "transaction_isolation":
            level = str(value).upper().replace(" ", "-")
            if level not in LEVELS:
                raise refuse(f"the isolation level {level}")
            return level
        if str(value).lower() not in {str(self[name]).lower(), "+00:00", "utc", "utf8mb4", "utf8"}:
            raise refuse(f"SET {name} = {value}")
        return value

    def _switch(self, name: str, value: Any) -> int:
        switch = {"1": 1, "ON": 1, "TRUE": 1, "0": 0, "OFF": 0, "FALSE": 0}.get(str(value).upper())
        if switch is None:
            raise SqlFault(1231, f"Variable '{name}' can't be set to the value of '{value}'")
        return switch

    def items(self) -> list[tuple[str, str]]:
        """Return all variables as SHOW VARIABLES shows them."""
        shown = {**DEFAULTS, **{k: v for k, v in self._own.items() if k in DEFAULTS}}
        return [(k, ("ON" if v else "OFF") if k in SWITCHES else str(v)) for k, v in sorted(shown.items())]
