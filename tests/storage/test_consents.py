"""The ledger in the database: guarded, sealed, and what an older site brings along."""

import shutil
from pathlib import Path

import pytest

from evdesk.domain.consents import ConsentEvent, ConsentState, EntityRole, Method, Switch
from evdesk.domain.errors import StorageError
from evdesk.domain.notices import Notice, NoticeId, NoticeVersion
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import HISTORY, VIN, PurposeSetting
from evdesk.domain.vins import Vin
from evdesk.ports import KeyErasure
from evdesk.storage import migrations
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from tests.storage.sites import EVA, START, at, persons_of, raw, writing

FINAL = (
    "notice",
    "purpose_setting",
    "consent_evidence",
    "consent_event",
    "person_restriction",
    "objection",
    "key_erasure",
)
NUMBER = "1M8GDM9AXKP042788"
SCAN = b"a scanned paper " * 99


def told(
    notice: NoticeId | None, evidence: int | None, evidence_sha256: bytes | None
) -> ConsentEvent:
    return ConsentEvent(
        person=EVA.id,
        purpose=VIN,
        seq=1,
        at=START,
        recorded_at=START,
        state=ConsentState.GIVEN,
        method=Method.PAPER,
        notice=notice,
        notice_version=NoticeVersion(1, 0),
        notice_language="de",
        valid_until=at(60),
        entity_id=EVA.id,
        entity_role=EntityRole.SUBJECT,
        witness="a-1",
        evidence=evidence,
        evidence_sha256=evidence_sha256,
    )


@pytest.fixture
def filled(store):
    """A row in each table."""
    with writing(store) as unit:
        unit.drivers.add(EVA)
        draft = Notice(
            NoticeId(0), VIN, NoticeVersion(1, 0), "de", b"text", bytes(32), START, "a-1"
        )
        notice = unit.notices.add(draft)
        evidence, digest = unit.consents.add_evidence(EVA.id, "image/png", SCAN, START)
        unit.consents.add(told(notice, evidence, digest))
        unit.restraints.restrict(EVA.id, Switch(START, on=True, author="a-1", reason="Art. 18"))
        unit.restraints.object(EVA.id, HISTORY, Switch(START, True, "a-1", "Art. 21"))
        unit.key_erasures.add(KeyErasure(EVA.id, DataClass.CARD, START, "r", for_good=True))
        unit.purposes.add(PurposeSetting(VIN, True, 24, 14, START, "a-1"))
        unit.vehicles.put(EVA.id, Vin(NUMBER), START)
    return store


@pytest.mark.parametrize("table", FINAL)
def test_what_was_recorded_stays_also_for_somebody_with_the_key(
    filled, folder, data_key, table
) -> None:
    connection = raw(folder, data_key)
    before = connection.all(f"SELECT * FROM {table}")
    assert before
    names = [row[1] for row in connection.all(f"PRAGMA table_info({table})")]
    columns = ", ".join(names)
    for sql in (
        f"UPDATE {table} SET {names[-1]} = {names[-1]}",
        f"DELETE FROM {table}",
        f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}",
    ):
        with pytest.raises(StorageError, match="final"):
            connection.run(sql)
    assert connection.all(f"SELECT * FROM {table}") == before
    connection.close()


def test_a_row_comes_back_as_it_was_written(filled) -> None:
    with filled.read() as unit:
        (event,) = unit.consents.find()
        assert event == told(event.notice, event.evidence, event.evidence_sha256)
        assert unit.consents.evidence(event.evidence).content == SCAN
        assert unit.vehicles.get(EVA.id).vin == Vin(NUMBER)
        assert unit.restraints.restricted()[EVA.id].reason == "Art. 18"
        assert list(unit.restraints.objecting(HISTORY)) == [EVA.id]
        assert unit.restraints.objecting(VIN) == {}
        assert unit.key_erasures.erased(DataClass.CARD) == {EVA.id: START}


def test_vin_and_evidence_are_sealed_under_keys_of_their_own(filled, folder, data_key) -> None:
    keyring = persons_of(folder, data_key).keyring(EVA.id)
    assert {"vin", "consent_evidence"} <= set(keyring)
    assert len({key.reveal() for key in keyring.values()}) == len(keyring)
    connection = raw(folder, data_key)
    for table in ("vehicle", "consent_evidence", "consent_event"):
        for row in connection.all(f"SELECT * FROM {table}"):
            whole = b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
            assert NUMBER.encode() not in whole
            assert SCAN[:16] not in whole
    connection.close()


def test_without_the_key_nothing_is_left_of_it(filled, folder, data_key) -> None:
    persons = persons_of(folder, data_key)
    persons.destroy(EVA.id, "vin")
    persons.destroy(EVA.id, "consent_evidence")
    with filled.read() as unit:
        assert unit.vehicles.get(EVA.id).vin is None
        assert unit.consents.evidence(1).content is None
        assert unit.consents.reveal_evidence(1) is None


def test_what_was_altered_does_not_open(filled, folder, data_key) -> None:
    connection = raw(folder, data_key)
    connection.run("UPDATE vehicle SET sealed = zeroblob(length(sealed))")
    connection.close()
    with filled.read() as unit, pytest.raises(StorageError, match="was altered"):
        unit.vehicles.get(EVA.id)


def test_a_site_from_before_keeps_the_key_of_its_cards(tmp_path: Path, data_key) -> None:
    old = tmp_path / "schema"
    old.mkdir()
    for number, file in migrations.steps(migrations.SITE_SCHEMA).items():
        if number <= 15:
            shutil.copy(file, old)
    place = Place(tmp_path / "old.db", data_key, 200)
    migrations.create(place, old, wal=True)
    connection = Connection(place)
    connection.run("INSERT INTO site_key (purpose, key) VALUES ('rfid', ?)", (bytes(32),))
    connection.close()
    migrations.migrate(place, migrations.SITE_SCHEMA, START)
    connection = Connection(place)
    assert connection.all("SELECT purpose, key FROM site_key") == [("rfid", bytes(32))]
    with pytest.raises(StorageError, match="final"):
        connection.run("DELETE FROM site_key")
    connection.close()
