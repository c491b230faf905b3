"""The audit log as people use it: found, proven, signed, checked, handed over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from shutil import copy, copytree

import pytest

from evdesk.bootstrap.sites import Opened, open_site, open_with_key
from evdesk.domain import merkle, notes
from evdesk.domain.errors import NotPermitted, StorageError, UserError
from evdesk.domain.site import Actor, Role
from evdesk.domain.verdicts import Result
from evdesk.ports import AuditFilter
from evdesk.services.auditing import AuditService
from evdesk.storage import keys
from evdesk.storage.signing import is_signed
from evdesk.storage.site_folder import create_site
from tests.fakes.clock import START
from tests.fakes.keys import make_cheap
from tests.services.desk import OWNER, PASSWORD, SITE, open_desk
from tests.storage.sites import raw


@dataclass(frozen=True)
class Log:
    """A site with some entries, opened as its owner."""

    opened: Opened

    @property
    def audit(self) -> AuditService:
        return self.opened.services.audit

    @property
    def folder(self) -> Path:
        return self.opened.folder

    def auditor(self) -> Opened:
        return open_with_key(self.folder, self.opened.data_key, Actor("A-9", Role.AUDITOR))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a month in it, and a password that costs little to try."""
    folder = tmp_path_factory.mktemp("audited") / "site"
    create_site(folder, SITE, OWNER, PASSWORD)
    desk = open_desk(folder, make_cheap(folder, PASSWORD))
    kim = desk.ready_to_bill()
    desk.charge(kim)
    desk.billing.issue(desk.billing.draft(kim, "2026-03").invoice.id)
    desk.store.close()
    return folder


@pytest.fixture
def log(made: Path, tmp_path: Path) -> Iterator[Log]:
    opened = open_site(Path(copytree(made, tmp_path / "site")), PASSWORD)
    yield Log(opened)
    opened.services.store.close()


def actions(found) -> list[str]:
    return [one.action for one in found]


def test_entries_are_found_by_who_what_when_and_object(log: Log) -> None:
    everything = log.audit.find()
    assert [one.seq for one in everything] == list(range(len(everything)))[::-1]
    assert log.audit.count() == len(everything)
    bills = log.audit.find(AuditFilter(action="invoice"))
    assert actions(bills) == ["invoice.issued", "invoice.drafted"]
    assert actions(log.audit.find(AuditFilter(action="invoice.issued"))) == ["invoice.issued"]
    (issued, drafted) = bills
    for about in (f"invoice/{issued.object_ref}", issued.object_ref, "invoice"):
        assert log.audit.find(AuditFilter(about=about)) == [issued, drafted]
    assert log.audit.find(AuditFilter(about=f"meter/{issued.object_ref}")) == []
    by_name = log.audit.find(AuditFilter(actor=OWNER.name))
    assert by_name == log.audit.find(AuditFilter(actor=OWNER.id)) != []
    assert "collector" not in {one.actor for one in by_name}
    later = AuditFilter(from_at=START + timedelta(seconds=1))
    assert set(actions(log.audit.find(later))) == {"login.ok"}
    before = AuditFilter(to_at=START + timedelta(seconds=1))
    assert log.audit.count(later) + log.audit.count(before) == len(everything)
    assert log.audit.find(limit=2) == everything[:2]
    assert log.audit.find(limit=2, before_seq=everything[1].seq) == everything[2:4]


def test_an_entry_is_shown_with_its_proof(log: Log) -> None:
    signed = log.audit.checkpoint()
    for seq in range(signed.head.size):
        kept = log.audit.show(seq)
        assert merkle.leaf_hash(kept.text.encode()) == kept.leaf
        assert merkle.includes(kept.head.root, kept.head.size, seq, kept.leaf, kept.path)
        assert kept.checkpoint == signed
        assert merkle.includes(signed.head.root, signed.head.size, seq, kept.leaf, kept.signed_path)
    (issued,) = log.audit.find(AuditFilter(action="invoice.issued"))
    tables = {table for table, _, _ in log.audit.show(issued.seq).rows}
    assert tables == {"invoice", "invoice_document", "invoice_event", "invoice_session"}
    with pytest.raises(UserError, match="There is no entry 999"):
        log.audit.show(999)


def test_a_proof_can_be_checked_by_others(log: Log) -> None:
    """c2sp.org/tlog-proof: a line each, then the checkpoint as it is."""
    with pytest.raises(UserError, match="No checkpoint covers entry 2 yet"):
        log.audit.proof(2)
    signed = log.audit.checkpoint()
    head, _, checkpoint = log.audit.proof(2).partition("\n\n")
    first, index, *path = head.split("\n")
    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 2")
    assert checkpoint == signed.note
    hashes = [notes._exactly(one, 32) for one in path]
    leaf = log.audit.show(2).leaf
    assert merkle.includes(signed.head.root, signed.head.size, 2, leaf, hashes)


def test_a_head_is_signed_once(log: Log) -> None:
    signed = log.audit.checkpoint()
    assert is_signed(notes.parse(signed.note), keys.verifier(log.folder))
    assert log.audit.checkpoint() == signed
    assert log.audit.checkpoints() == [signed]
    assert log.audit.head() == signed.head
    log.opened.services.drivers.add(log.opened.services.drivers.all()[0].party)
    again = log.audit.checkpoint()
    assert log.audit.checkpoints() == [again, signed]
    assert again.head.size == signed.head.size + 1


def test_what_is_intact_is_recorded_and_signed_afterwards(log: Log) -> None:
    size = log.audit.head().size
    done = log.audit.verify()
    assert (done.verdict.result, done.verdict.entries) == (Result.INTACT, size)
    assert done.recorded
    assert done.signed is not None
    assert done.signed.head.size == size + 1
    assert actions(log.audit.find(limit=1)) == ["audit.verified"]
    told: list[float] = []
    again = log.audit.verify([done.signed.head], told.append)
    assert (again.verdict.result, again.verdict.unsigned_tail) == (Result.INTACT, 0)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_an_auditor_checks_and_hands_over_and_signs_nothing(log: Log) -> None:
    opened = log.auditor()
    audit = opened.services.audit
    done = audit.verify()
    assert (done.verdict.result, done.recorded, done.signed) == (Result.INTACT, True, None)
    with pytest.raises(NotPermitted):
        audit.checkpoint()
    handed = audit.export(BytesIO())
    assert (handed.recorded, handed.signed) == (True, None)
    assert actions(audit.find(limit=1)) == ["evidence.exported"]
    opened.services.store.close()
    assert log.audit.verify().verdict.result is Result.INTACT


def test_a_slot_without_the_key_is_told_so(log: Log) -> None:
    opened = open_with_key(log.folder, log.opened.data_key, Actor("collector"))
    with pytest.raises(NotPermitted, match="no part in the key that signs"):
        opened.services.audit.checkpoint()
    assert opened.services.audit.sign_if_possible() is None
    opened.services.store.close()


def test_evidence_holds_the_head_before_its_own_entry(log: Log) -> None:
    out = BytesIO()
    size = log.audit.head().size
    handed = log.audit.export(out)
    assert out.getvalue().startswith(b"PK")
    assert handed.head.size == size
    assert handed.signed is not None
    assert handed.signed.head == handed.head
    (entry,) = log.audit.find(limit=1)
    assert (entry.seq, entry.action) == (size, "evidence.exported")
    assert handed.manifest in entry.facts
    assert str(handed.head) in entry.facts


def test_evidence_that_cannot_be_written_is_not_entered(log: Log, tmp_path: Path) -> None:
    class Full(BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    size = log.audit.head().size
    with pytest.raises(OSError, match="No space"):
        log.audit.export(Full())
    assert log.audit.head().size == size


@pytest.fixture
def rolled_back(log: Log, tmp_path: Path) -> Iterator[Log]:
    """The same site with an older database."""
    log.opened.services.store.close()
    copy(log.folder / "site.db", tmp_path / "older.db")
    opened = open_site(log.folder, PASSWORD)
    opened.services.drivers.add(opened.services.drivers.all()[0].party)
    opened.services.store.close()
    for file in log.folder.glob("site.db*"):
        file.unlink()
    copy(tmp_path / "older.db", log.folder / "site.db")
    opened = open_site(log.folder, PASSWORD)
    yield Log(opened)
    opened.services.store.close()


def test_a_log_that_was_rolled_back_is_read_checked_and_handed_over_unchanged(
    rolled_back: Log,
) -> None:
    audit = rolled_back.audit
    told = audit.rollback()
    assert told is not None
    assert told.found is not None
    done = audit.verify()
    first = done.verdict.first
    assert first is not None
    assert (first.what.value, first.seq) == ("rolled_back", told.found.size)
    assert (done.recorded, done.signed) == (False, None)
    size = audit.head().size
    assert not audit.export(BytesIO()).recorded
    with pytest.raises(StorageError, match="not the one that this folder had before"):
        audit.checkpoint()
    assert audit.head().size == size


def test_an_owner_explains_a_rollback_and_signs_what_follows(rolled_back: Log) -> None:
    audit = rolled_back.audit
    told = audit.rollback()
    assert told is not None
    assert told.anchored is not None
    with pytest.raises(UserError, match="Say why"):
        audit.explain_rollback(" ")
    signed = audit.explain_rollback("the disk  had failed")
    assert signed is not None
    assert audit.rollback() is None
    (entry,) = audit.find(AuditFilter(action="site.restored"))
    assert entry.reason == "the disk had failed"
    assert signed.head.size == entry.seq + 1
    assert audit.verify().verdict.result is Result.INTACT
    lost = audit.verify([told.anchored])
    assert lost.verdict.result is Result.UNVERIFIABLE
    assert [doubt.value for doubt in lost.verdict.doubts] == ["restored"]
    with pytest.raises(UserError, match="nothing to explain"):
        audit.explain_rollback("once more")


def test_a_log_that_contradicts_a_checkpoint_is_not_signed(log: Log) -> None:
    """Two checkpoints that disagree would prove that somebody lied."""
    signed = log.audit.checkpoint()
    db = raw(log.folder, log.opened.data_key)
    db.run("DROP TRIGGER audit_checkpoint_no_update")
    other = signed.note.replace(f"\n{signed.head.size}\n", f"\n{signed.head.size + 9}\n")
    db.run("UPDATE audit_checkpoint SET note = ?, size = size + 9", (other,))
    db.close()
    with pytest.raises(StorageError, match="not the one that was signed before"):
        log.audit.checkpoint()
    assert log.audit.sign_if_possible() is None
