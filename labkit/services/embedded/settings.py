"""SET: a connection's variables changed, and the change made to count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from labkit.services.embedded.faults import refuse

if TYPE_CHECKING:
    from labkit.services.embedded.session import Session

__all__ = ["apply_set", "honour"]


async def apply_set(node: exp.Set, session: Session) -> None:
    """Run a SET statement; refuse what the server would have to pretend."""
    for item in node.expressions:
        _set(item, session)
    await honour(session)


def _set(item: exp.Expr, session: Session) -> None:
    kind = item.text("kind").upper()
    if kind in ("NAMES", "CHARACTER SET"):
        if item.name.lower() not in ("utf8mb4", "utf8", "default"):
            raise refuse(f"SET NAMES {item.name}")
    elif kind in ("GLOBAL", "PERSIST") or not isinstance(item.this, exp.EQ):
        raise refuse(f"SET {item.sql('mysql')}")
    else:
        session.variables.set(_name(item.this.this), _value(item.this.expression))


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.SessionParameter) and node.text("kind").lower() == "global":
        raise refuse("SET GLOBAL")
    if isinstance(node, exp.Parameter):
        raise refuse("user variables")
    return node.name


def _value(node: exp.Expr) -> str:
    if isinstance(node, exp.Boolean):
        return str(int(node.this))
    if isinstance(node, exp.Literal | exp.Column | exp.Var | exp.Identifier):
        return node.name
    raise refuse(f"SET … = {node.sql('mysql')}")


async def honour(session: Session) -> None:
    """Let the variables take effect; switching autocommit on commits."""
    backend, variables = session.backend, session.variables
    level = variables["transaction_isolation"]
    backend.refresh, backend.serial = level == "READ-COMMITTED", level == "SERIALIZABLE"
    backend.wait = float(variables["innodb_lock_wait_timeout"])
    await backend.check_keys(bool(variables["foreign_key_checks"]))
    if variables["autocommit"] and not backend.autocommit:
        await backend.commit()
    backend.autocommit = bool(variables["autocommit"])
