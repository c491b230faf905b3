"""Every change leaves an entry in a tree, and every row of evidence is committed to in one."""

import hashlib
import hmac
import json
import shutil

import pytest

from evdesk.domain import merkle
from evdesk.domain.audit import Change, Outcome
from evdesk.domain.errors import StorageError
from evdesk.domain.instants import from_ms
from evdesk.domain.verdicts import Known, What
from evdesk.storage import genesis, keys, migrations
from evdesk.storage.anchor import Anchor
from evdesk.storage.chain import Chain
from evdesk.storage.connection import Connection
from evdesk.storage.database import Access, Database
from evdesk.storage.faults import Place
from evdesk.storage.row_commits import KEYS, row_digest, row_text
from tests.storage.sites import (
    DONE,
    START,
    FixedClock,
    add_meter,
    add_station,
    at,
    close_a_session,
    figures,
    issue,
    opened,
    raw,
    writing,
)

DROPPED = {"deletion_permit", "touched"}


@pytest.fixture
def connection(store, folder, data_key):
    issue(store)
    connection = raw(folder, data_key)
    yield connection
    connection.close()


def entries(connection: Connection) -> list[dict[str, object]]:
    rows = connection.all("SELECT entry FROM audit ORDER BY seq")
    return [json.loads(text) for (text,) in rows]


def uncommitted(connection: Connection) -> list[tuple[str, str]]:
    """Rows of evidence that are not what the log says of them, read back by other means."""
    wrong = []
    said = {
        (table, key): (digest, salt)
        for table, key, digest, salt in connection.all(
            "SELECT table_name, row_key, digest, salt FROM row_commit AS one"
            " LEFT JOIN row_salt USING (table_name, row_key, seq) WHERE seq ="
            " (SELECT max(seq) FROM row_commit WHERE table_name = one.table_name"
            "  AND row_key = one.row_key)"
        )
    }
    there = set()
    for table, key in KEYS.items():
        over = " WHERE state <> 'open'" if table == "session" else ""
        names = f"json_array({', '.join(key)})"
        for (row_key,) in connection.all(f"SELECT {names} FROM {table}{over}"):
            there.add((table, row_key))
            digest, salt = said.get((table, row_key), (None, None))
            text = row_text(connection, table, row_key)
            if salt is None or text is None or row_digest(salt, text) != digest:
                wrong.append((table, row_key))
    gone = [row for row, (digest, _) in said.items() if row not in there and digest is not None]
    return wrong + gone


def test_the_tree_is_that_of_its_entries(connection) -> None:
    rows = connection.all("SELECT seq, entry, leaf FROM audit ORDER BY seq")
    assert [seq for seq, _, _ in rows] == list(range(len(rows)))
    leaves = [hashlib.sha256(b"\x00" + entry.encode()).digest() for _, entry, _ in rows]
    assert [leaf for _, _, leaf in rows] == leaves
    assert Chain(connection).head().root == merkle.root_of(leaves)
    assert Chain(connection).head(2).root == merkle.root_of(leaves[:2])
    named = [entry["prev"] for entry in entries(connection)]
    assert named == ["0" * 64, *(leaf.hex() for leaf in leaves[:-1])]


def test_an_entry_holds_no_more_of_its_payload_than_a_commitment(connection) -> None:
    said = connection.all("SELECT salt, body FROM audit_payload ORDER BY seq")
    assert len(said) == len(entries(connection))
    for entry, (salt, body) in zip(entries(connection), said, strict=True):
        assert entry["payload"] == hmac.digest(salt, body.encode(), "sha256").hex()
        assert set(entry) <= {
            *("v", "seq", "prev", "at", "actor", "role", "action", "object_type", "object_ref"),
            *("outcome", "payload", "rows", "clock"),
        }


def test_every_row_of_evidence_is_committed_to(connection, store) -> None:
    assert uncommitted(connection) == []
    with writing(store) as unit:
        open_one = unit.sessions.open(add_station(unit, "S7"), figures(), None)
    assert uncommitted(connection) == []
    with store.journal() as unit:  # no use case speaks of it, and it is committed to all the same
        unit.sessions.update(open_one, figures(end=1_500))
    assert uncommitted(connection) == []
    assert entries(connection)[-1]["action"] == "rows.kept"


def test_running_figures_of_an_open_session_are_no_evidence_yet(connection, store) -> None:
    with writing(store) as unit:
        open_one = unit.sessions.open(add_station(unit, "S7"), figures(), None)
    before = len(entries(connection))
    with store.journal() as unit:
        unit.sessions.update(open_one, figures())
    assert len(entries(connection)) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE meter SET serial = 'other'",
        "UPDATE session SET energy_wh = energy_wh + 1",
        "DELETE FROM invoice_session",
        "UPDATE issuer SET iban = 'DE00'",
    ],
)
def test_a_row_that_is_changed_behind_the_logs_back_shows(connection, store, sql) -> None:
    with writing(store) as unit:
        close_a_session(unit, "S8")
        unit.site.set_issuer(unit.drivers.all()[0].party)
    table = sql.replace("DELETE FROM", "UPDATE").split()[1]
    for (name,) in connection.all("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        connection.run(f"DROP TRIGGER {name}")
    connection.run(sql)
    assert {name for name, _ in uncommitted(connection)} == {table}


def test_every_table_is_evidence_or_said_to_be_none(connection) -> None:
    """A new table is given a place: among KEYS, with triggers, or here with a reason."""
    working = {"clock", "collector", "intent", "invoice_draft", "outbox", "outbox_attachment"}
    working |= {"told", "tracker", "meter_status", "meter_memory", "newest_reading"}
    working |= {
        "retention_run",
        "retention_step",
        "retention_run_end",
    }  # retention_log sums them up
    settings = {"mail_server", "archive", "site_key"}  # what changes them is said in entries
    settings |= {"backup_schedule", "backup_place", "invoice_floor", "erasure_key"}
    sealed = {"reading", "segment", "segment_data"}  # entries hold digests of whole hours
    log = {"audit", "audit_payload", "audit_node", "audit_checkpoint", "row_commit", "row_salt"}
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    found = {name for (name,) in connection.all(sql)}
    assert found == {*KEYS, *DROPPED, *working, *settings, *sealed, *log}
    triggers = {name for (name,) in connection.all("SELECT name FROM sqlite_master")}
    for table in KEYS:
        assert {f"{table}_{done}" for done in ("inserted", "updated", "deleted")} <= triggers


def test_a_clock_that_was_set_back_is_said_in_the_entry(folder, data_key, store) -> None:
    with writing(store) as unit:
        add_meter(unit)
    store._clock = FixedClock(at(-3_600))
    with writing(store) as unit:
        add_meter(unit, "M2")
    connection = raw(folder, data_key)
    assert [entry.get("clock") for entry in entries(connection)][-2:] == [None, "set back"]
    connection.close()


# -- a log that was no tree ------------------------------------------------------------------------


def test_the_entries_of_an_older_log_are_taken_over(folder, data_key) -> None:
    """A site of schema 11 had a list of entries."""
    old = older_site(folder, data_key)
    before = old.all("SELECT seq, at_ms, action, reason FROM audit ORDER BY seq")
    old.close()
    store = opened(folder, data_key)
    with store.read() as unit:
        found = unit.audit.entries(99)[::-1]
    store.close()
    assert found[0].action == genesis.BEGUN
    facts = json.loads(found[0].facts)
    assert facts["entries_before"] == len(before) == 2
    assert facts["key"] == str(keys.verifier(folder))
    assert [(e.seq, e.at, e.action, e.reason) for e in found[1:]] == [
        (seq, from_ms(at_ms), action, reason) for seq, at_ms, action, reason in before
    ]
    connection = raw(folder, data_key)
    assert uncommitted(connection) == []
    assert not connection.all("SELECT 1 FROM sqlite_master WHERE name LIKE 'audit%before'")
    connection.close()


def older_site(folder, data_key) -> Connection:
    schema = shutil.copytree(migrations.SITE_SCHEMA, folder.parent / "schema")
    for file in schema.glob("001[2-9]_*.sql"):
        file.unlink()
    (folder / "site.db").unlink()
    (folder / "anchor.json").unlink()
    place = Place(folder / "site.db", data_key, 200)
    migrations.create(place, schema, wal=True)
    connection = Connection(place)
    connection.run("INSERT INTO site VALUES (1, 'site-1', 'D', 'UTC', 'EUR', 'DE', 'de', 0, 0)")
    connection.run("INSERT INTO account VALUES (1, 'a-1', 'anna', 'owner', 0)")
    for seq, reason in ((1, None), (2, "because")):
        entry = (seq, 1_000 * seq, reason)
        connection.run("INSERT INTO audit VALUES (?, ?, 'a-1', 'x.y', 'x', '1', 'ok', ?)", entry)
        salted = "INSERT INTO audit_payload VALUES (?, randomblob(32), '{\"n\":1}')"
        connection.run(salted, (seq,))
    return connection


# -- the anchor ------------------------------------------------------------------------------------


def test_the_anchor_follows_what_people_and_the_collector_do(store, folder, connection) -> None:
    for access in (store.write, store.journal):
        with access() as unit:
            unit.record_change(DONE)
        assert Anchor(folder).read() == Chain(connection).head()


def put_back(folder, older) -> None:
    for file in folder.glob("site.db*"):
        file.unlink()
    shutil.copy(older, folder / "site.db")


@pytest.fixture
def rolled_back(folder, data_key, tmp_path):
    """A site whose database is an hour older than its anchor."""
    store = opened(folder, data_key)
    store.close()
    shutil.copy(folder / "site.db", tmp_path / "older.db")
    store = opened(folder, data_key)
    with writing(store) as unit:
        add_meter(unit)
    store.close()
    put_back(folder, tmp_path / "older.db")
    store = opened(folder, data_key)
    yield store
    store.close()


def test_an_older_database_binds_people_to_reading(rolled_back, folder) -> None:
    anchored = Anchor(folder).read()
    assert rolled_back.rollback is not None
    assert rolled_back.rollback.anchored == anchored
    refused = pytest.raises(StorageError, match="not the one that this folder had before")
    with refused, rolled_back.write() as unit:
        unit.record_change(DONE)
    with rolled_back.journal() as unit:  # readings go on
        unit.record_change(DONE)
    assert Anchor(folder).read() == anchored


def test_a_rollback_that_is_explained_is_one_no_more(rolled_back, folder, data_key) -> None:
    told = rolled_back.rollback
    assert told is not None
    rolled_back.explain_rollback("the disk was restored")
    with writing(rolled_back) as unit:
        add_meter(unit)
    again = opened(folder, data_key)
    assert again.rollback is None
    with again.read() as unit:
        entry = next(one for one in unit.audit.entries(9) if one.action == "site.restored")
    assert entry.reason == "the disk was restored"
    assert json.loads(entry.facts) == {"anchored": str(told.anchored), "found": str(told.found)}
    again.close()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"size": 1}', '{"size": -1, "root": "AA=="}', None]
)
def test_without_an_anchor_nothing_is_changed_until_it_is_explained(folder, data_key, text) -> None:
    store = opened(folder, data_key)
    with writing(store) as unit:
        add_meter(unit)
    store.close()
    anchor = Anchor(folder)
    if text is None:
        anchor.path.unlink()
    else:
        anchor.path.write_text(text)
    store = opened(folder, data_key)
    with pytest.raises(StorageError, match=r"anchor\.json"), writing(store):
        pass
    with store.journal() as unit:
        unit.collector.bump_revision()
    assert anchor.read() is None  # and no new one is made in silence
    store.explain_rollback("the virus scanner took it away")
    with writing(store) as unit:
        add_meter(unit, "another")
    store.close()
    assert anchor.read() is not None
    assert opened(folder, data_key).rollback is None


def test_a_log_with_a_hole_is_opened_to_be_looked_at(folder, data_key) -> None:
    store = opened(folder, data_key)
    for number in range(9):
        with writing(store) as unit:
            add_meter(unit, f"M{number}")
    store.close()
    connection = raw(folder, data_key)
    for (name,) in connection.all("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        connection.run(f"DROP TRIGGER {name}")
    connection.run("PRAGMA foreign_keys = OFF")
    connection.run("DELETE FROM audit_node")
    connection.run("DELETE FROM audit WHERE seq = 3")
    connection.close()
    store = opened(folder, data_key)
    assert store.rollback is not None
    assert store.rollback.found is None
    with pytest.raises(StorageError, match="not whole"), writing(store):
        pass
    with pytest.raises(StorageError, match="not whole"):
        store.explain_rollback("no idea")
    with store.read() as unit:
        verdict = unit.audit.verify(Known(keys.verifier(folder), []), lambda _share: None)
    missing = [one.seq for one in verdict.findings if one.what is What.ENTRY_MISSING]
    assert missing == [3]
    store.close()


def test_the_anchor_moves_forward_only(folder, data_key) -> None:
    anchor, place = Anchor(folder), Place(folder / "site.db", data_key, 200)
    database = Database(place, migrations.SITE_SCHEMA)
    now = anchor.read()
    with database.transaction(Access.READ) as connection:
        anchor.advance(Chain(connection).head(1))
    database.close()
    assert anchor.read() == now


def test_a_change_that_was_denied_is_an_entry_like_any_other(store) -> None:
    with store.write() as unit:
        unit.record_change(Change("x.y", "x", "1", {}, outcome=Outcome.DENIED))
    with store.read() as unit:
        assert unit.audit.entries(1)[0].outcome is Outcome.DENIED
        assert unit.audit.entries(1)[0].at == START
