"""The schema held against what the numbered files make of it: guards that went, traps that came.

A trigger that somebody adds writes in everybody's name, and one that is gone lets rows be changed
without a trace.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from evdesk.storage.connection import Connection
from evdesk.storage.migrations import SITE_SCHEMA, statements, steps

if TYPE_CHECKING:
    import sqlite3 as sqlcipher
else:
    from sqlcipher3 import dbapi2 as sqlcipher

TAKEN_OVER = ("audit_payload_before", "audit_before")  # storage.genesis drops them
OBJECTS = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL"
OWN = "sqlite_"  # what SQLite keeps for itself, such as statistics

Objects = dict[str, str]


def schema_differences(db: Connection) -> list[str]:
    """Return what of the schema is missing, changed or nobody's, each in some words."""
    expected, found = _expected(), {name: text for name, text in db.all(OBJECTS) if not _own(name)}
    return [
        *(f"{name} is missing" for name in sorted(expected.keys() - found.keys())),
        *(f"{name} is not of evdesk" for name in sorted(found.keys() - expected.keys())),
        *(
            f"{name} is another one"
            for name in sorted(expected.keys() & found.keys())
            if expected[name] != found[name]
        ),
    ]


def _expected() -> Objects:
    """Make an empty database in memory, and return what is in it."""
    with closing(sqlcipher.connect(":memory:", isolation_level=None)) as memory:
        for file in steps(SITE_SCHEMA).values():
            for statement in statements(file.read_text(encoding="utf-8")):
                memory.execute(statement)
        for table in TAKEN_OVER:
            memory.execute(f"DROP TABLE {table}")
        return {name: text for name, text in memory.execute(OBJECTS) if not _own(name)}


def _own(name: str) -> bool:
    return name.partition(" ")[2].startswith(OWN)
