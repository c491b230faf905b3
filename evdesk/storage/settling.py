"""Settling a restored site before it is put in its place: nothing of it is anybody's yet.

What the collector, the mail and other backups had begun when the backup was made is ended, what was
erased since is erased again, and the audit log says where all of this comes from.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from evdesk.domain.audit import Change
from evdesk.domain.erasures import Erasure
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.notes import Head
from evdesk.domain.site import Account, Actor
from evdesk.settings import JOURNAL
from evdesk.storage import migrations, signing
from evdesk.storage.anchor import Anchor
from evdesk.storage.chain import Chain
from evdesk.storage.checkpoints import keep_checkpoint
from evdesk.storage.connection import Connection, Value
from evdesk.storage.erasures import LedgerFile, PersonKeysReplay
from evdesk.storage.faults import Place
from evdesk.storage.keys import Unlocked
from evdesk.storage.persons import Persons, persons_place
from evdesk.storage.replaced import PersonKey
from evdesk.storage.retention_erasing import BEFORE
from evdesk.storage.retention_persons import FOR_GOOD
from evdesk.storage.site_folder import PERSONS_DB, SITE_DB, open_store
from evdesk.storage.site_store import RESTORED

MAY_HAVE_GONE_OUT = "The site was restored: whether this was sent after the backup is not known."
STATEMENTS = (
    (
        "UPDATE collector SET pid = NULL, host = '', since_at_ms = NULL, heartbeat_at_ms = NULL,"
        " stop_requested = 0, lateness_ms = 0"
    ),
    "UPDATE outbox SET state = 'unclear', told = :told WHERE state IN ('waiting', 'sending')",
    "UPDATE intent SET done_at_ms = :now_ms WHERE kind = 'make_backup' AND done_at_ms IS NULL",
    "UPDATE backup_schedule SET watched_at_ms = :now_ms",
)
FLOOR = (
    "INSERT INTO invoice_floor (series, serial) VALUES (?, ?)"
    " ON CONFLICT (series) DO UPDATE SET serial = max(serial, excluded.serial)"
)


@dataclass(frozen=True, slots=True)
class Newer:
    """What is newer than the backup: keys of persons, what was erased, which numbers are taken.

    ``accounts`` are those of the site that is replaced, ``made_at`` is when the backup was made.
    """

    persons: Sequence[PersonKey]
    ledger: LedgerFile
    last_invoices: Mapping[str, int]
    accounts: Sequence[Account]
    made_at: datetime

    def erasures(self) -> list[Erasure]:
        """Return what may be in the backup although it was erased.

        What was erased long before the backup was made is not in it, but there may be something
        new of the same class, such as a car after a consent that was given anew. What is erased
        for good, and what was past its date, is never there again.
        """
        since = self.made_at - timedelta(days=1)  # clocks are set
        return [
            one
            for one in self.ledger.all()
            if one.at >= since or one.data_class in FOR_GOOD or one.subject.startswith(BEFORE)
        ]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of it: keys that were destroyed again, and the new head of the log."""

    erased_again: int
    head: Head
    signed: bool


@dataclass(frozen=True, slots=True)
class _Clock:
    """Shows the instant of the restore: that of the demo where the site is one."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def settle(
    folder: Path,
    unlocked: Unlocked,
    actor: Actor,
    now: datetime,
    newer: Newer,
    facts: Mapping[str, object],
) -> Settled:
    """Bring a restored site to the present, and write where it comes from into its log.

    Raises:
        StorageError: the disk is full or fails.

    """
    timeout_ms = JOURNAL.busy_timeout_ms
    place = Place(folder / SITE_DB, unlocked.data_key, timeout_ms)
    persons = _write_persons(folder, unlocked, newer.persons)
    with closing(Connection(place)) as connection:
        at = _end_what_was_begun(connection, now, newer)
        erased_again = PersonKeysReplay(connection, persons).replay(newer.erasures())
        Anchor(folder).put(Chain(connection).head())  # checked whole a moment ago
    store = open_store(folder, unlocked.data_key, actor, _Clock(at))
    try:
        with store.write() as unit:
            site = unit.site.load()
            unit.accounts.take_over(newer.accounts)
            rows = unit.erasing.replay(newer.erasures(), at, site.tz)
            said = {**facts, "erased_again": erased_again, "rows_erased_again": rows}
            unit.record_change(Change(RESTORED, "site", site.id, said))
    finally:
        store.close()
    with closing(Connection(place)) as connection:
        head = _sign_head(connection, unlocked, at)
    Anchor(folder).put(head)
    return Settled(erased_again, head, unlocked.signing_key is not None)


def _write_persons(folder: Path, unlocked: Unlocked, rows: Sequence[PersonKey]) -> Persons:
    place = persons_place(folder / PERSONS_DB, unlocked.data_key, JOURNAL.busy_timeout_ms)
    migrations.create(place, migrations.PERSONS_SCHEMA, wal=False)
    with closing(Connection(place)) as connection:
        connection.run("BEGIN IMMEDIATE")
        connection.many(
            "INSERT INTO person_key (person_id, data_class, key, confirmed) VALUES (?, ?, ?, ?)",
            rows,
        )
        connection.run("COMMIT")
    return Persons(place, secrets.token_bytes)


def _end_what_was_begun(connection: Connection, now: datetime, newer: Newer) -> datetime:
    """End what other processes had begun; return what the clock of the site shows."""
    values: dict[str, Value] = {"told": MAY_HAVE_GONE_OUT, "now_ms": to_ms(now)}
    connection.run("BEGIN IMMEDIATE")
    for statement in STATEMENTS:
        connection.run(statement, values)
    connection.many(FLOOR, newer.last_invoices.items())
    connection.run("COMMIT")
    row = connection.one(
        "SELECT coalesce(stepped_at_ms, created_at_ms) FROM site LEFT JOIN clock WHERE demo = 1"
    )
    return now if row is None else from_ms(row[0])


def _sign_head(connection: Connection, unlocked: Unlocked, at: datetime) -> Head:
    """Return the head of the log, signed where whoever restores may sign."""
    connection.run("PRAGMA synchronous = FULL")
    connection.run("BEGIN IMMEDIATE")
    head, key = Chain(connection).head(), unlocked.signing_key
    if key is not None:
        (site,) = connection.one("SELECT site_id FROM site") or ("",)
        keep_checkpoint(connection, lambda found: signing.sign(f"evdesk/{site}", found, key), at)
    connection.run("COMMIT")
    return head
