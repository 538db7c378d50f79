"""
The embedded servers: MySQL's protocol in front of SQLite, and fakeredis, each on a loopback port in a thread.

    server.py, thread.py, wire.py    the MySQL server, its thread and loop; one connection: packets, login, commands
    session.py      what each statement does, and what SET and @@ know
    statements.py   statements parsed and translated once, kept by their shape
    queries.py, expressions.py, writes.py    MySQL's statements and expressions rewritten for SQLite
    backend.py, storing.py      SQLite, transactions, the write lock; what a write stores, and why it failed
    values.py, functions.py     values, errors, comparisons as MySQL has them
    schema.py, definitions.py   the tables that exist, and CREATE and DROP
    information.py              SHOW, DESCRIBE, the information schema
    redis.py        the Redis server

They are for teaching, not for production: one process, a temporary file, and the SQL of an ordinary application.
What they would answer otherwise than MySQL they refuse, with error 1235 and the providers that can.
Known differences are left in: one write lock for the whole database instead of row locks; symbols and letters that
are neither ASCII nor Latin sort by their number in Unicode; times are UTC.
"""

from __future__ import annotations

__all__: list[str] = []  # `labkit.services` starts the servers
