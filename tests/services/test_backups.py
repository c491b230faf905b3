"""Backups as people and the collector make them: every step is in the log, failures are faults."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from evdesk.domain.audit import Outcome
from evdesk.domain.backups import BackupId, ScheduleState
from evdesk.domain.errors import NotPermitted, StorageError
from evdesk.domain.faults import FaultCode
from evdesk.domain.readings import MeterId, Reading
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, Role
from evdesk.ports import BackupOrder, BackupStage, FaultFilter, unattended
from evdesk.services.backing_up import BEGUN, MADE, REMOVED, VERIFIED
from evdesk.services.backup_keeping import BackupKeeper
from evdesk.services.backups import SCHEDULED, BackupService
from evdesk.storage import keys
from evdesk.storage.backups import SiteBackups
from tests.fakes.clock import START, SetClock
from tests.fakes.documents import CountedPseudonyms
from tests.services.desk import PASSWORD, Desk, open_desk

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Held:
    """The keys that a site was opened with."""

    data_key: Secret
    signing_key: Secret | None


@dataclass
class Office:
    """A site, its backups, and where they go; everything on one clock."""

    desk: Desk
    files: SiteBackups
    service: BackupService
    keeper: BackupKeeper
    usb: Path
    clock: SetClock

    def actions(self) -> list[tuple[str, Outcome]]:
        return [
            (entry.action, entry.outcome)
            for entry in self.desk.audit()
            if entry.action.startswith("backup.")
        ]

    def faults(self) -> list[FaultCode]:
        with self.desk.store.read() as unit:
            return [fault.code for fault in unit.faults.find(FaultFilter(open_only=True))]

    def there(self) -> list[Path]:
        return sorted(self.usb.glob("*.zip"))

    def turn_on(self) -> None:
        self.service.set_schedule(on=True, folder=self.usb, at_minute=3 * 60, keep_days=30)

    def step(self, after: timedelta = timedelta(0)) -> None:
        self.clock.at += after
        self.desk.clock.at = self.clock.at
        self.keeper.step(unattended)


@pytest.fixture(scope="session")
def held(new_site: tuple[Path, Secret]) -> Held:
    unlocked = keys.unlock(new_site[0], None, PASSWORD)
    return Held(unlocked.data_key, unlocked.signing_key)


@pytest.fixture
def office(desk: Desk, folder: Path, held: Held, tmp_path: Path) -> Office:
    clock, names = SetClock(), CountedPseudonyms()
    store: Any = desk.store
    store._clock = clock
    usb = tmp_path / "usb"
    usb.mkdir()
    files = SiteBackups(folder, held, clock)
    return Office(
        desk=desk,
        files=files,
        service=BackupService(desk.store, files, names, clock),
        keeper=BackupKeeper(desk.store, files, names, clock),
        usb=usb,
        clock=clock,
    )


# -- by hand -----------------------------------------------------------------------------------


def test_a_backup_made_by_hand_is_proven_and_in_the_log(office: Office) -> None:
    made = office.service.create(office.usb)
    assert made.verdict.intact
    assert office.there() == [made.backup.file]
    ok = Outcome.OK
    assert office.actions() == [(BEGUN, ok), (MADE, ok), (VERIFIED, ok)]
    entry = office.desk.audit()[-2]
    assert entry.object_ref == made.backup.id
    facts = json.loads(entry.facts)
    assert facts == {
        "bytes": made.backup.size_bytes,
        "head": str(made.backup.head),
        "signed": True,
    }
    assert all(str(office.usb) not in one.facts for one in office.desk.audit())
    (found,) = office.service.find(office.usb)
    assert (found.found.backup, found.verified) == (made.backup, True)


def test_backups_go_into_the_site_folder_where_nothing_is_chosen(
    office: Office, folder: Path
) -> None:
    assert office.service.find() == []
    made = office.service.create()
    assert made.backup.file.parent == folder / "backups" == office.service.usual_folder()
    assert [one.found.backup for one in office.service.find()] == [made.backup]


def test_a_backup_that_fails_is_in_the_log_and_leaves_nothing(office: Office) -> None:
    def stop(stage: BackupStage, share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.service.create(office.usb, stop)
    assert office.actions() == [(BEGUN, Outcome.OK), (MADE, Outcome.FAILED)]
    assert list(office.usb.iterdir()) == []
    with office.desk.store.read() as unit:
        assert unit.intents.open("make_backup") == {}


def test_a_folder_that_cannot_be_used_is_refused_before_anything_is_written(
    office: Office, folder: Path
) -> None:
    with office.desk.refused("folder of the site itself"):
        office.service.create(folder)
    with office.desk.refused("no folder"):
        office.service.create(office.usb / "nowhere")


def test_verifying_says_what_is_wrong_and_leaves_an_entry(office: Office) -> None:
    made = office.service.create(office.usb)
    content = bytearray(made.backup.file.read_bytes())
    content[len(content) // 2] ^= 1
    made.backup.file.write_bytes(content)
    verdict = office.service.verify(made.backup.file)
    assert not verdict.intact
    assert office.actions()[-1] == (VERIFIED, Outcome.FAILED)
    assert json.loads(office.desk.audit()[-1].facts)["problems"] == 1


def test_older_ones_go_where_they_always_go_and_nowhere_else(office: Office, tmp_path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    office.turn_on()
    for days in (0, 20, 20):
        office.clock.at += days * DAY
        made = office.service.create(office.usb)
        office.service.create(archive)
    assert [one.created_at for one in made.removed] == [START]
    assert len(office.there()) == 2
    assert len(list(archive.glob("*.zip"))) == 3
    removed = [entry for entry in office.desk.audit() if entry.action == REMOVED]
    assert [entry.object_ref for entry in removed] == [made.removed[0].id]


def test_a_site_whose_log_was_rolled_back_can_be_backed_up(
    office: Office, folder: Path, held: Held
) -> None:
    (folder / "anchor.json").write_text('{"root": "' + "A" * 43 + '=", "size": 999}')
    desk = open_desk(folder, held.data_key)
    try:
        assert desk.store.rollback is not None
        service = BackupService(desk.store, office.files, CountedPseudonyms(), office.clock)
        assert service.create(office.usb).verdict.intact
    finally:
        desk.store.close()


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR])
def test_who_may_do_what_with_backups(office: Office, role: Role) -> None:
    made = office.service.create(office.usb)
    office.desk.store.actor = Actor("A-2", role)
    assert office.service.verify(made.backup.file).intact
    assert office.actions()[-1] == (VERIFIED, Outcome.OK)
    with pytest.raises(NotPermitted):
        office.service.set_schedule(on=False)
    if role is Role.AUDITOR:
        with pytest.raises(NotPermitted):
            office.service.create(office.usb)
    else:
        assert office.service.create(office.usb).verdict.intact


# -- cut off -----------------------------------------------------------------------------------


def begin(office: Office, backup: str) -> BackupOrder:
    """Begin a backup, and die."""
    order = BackupOrder(BackupId(backup), office.usb, office.clock.at)
    with office.desk.store.write() as unit:
        data = {"id": order.id, "folder": str(order.folder), "at": "2026-03-02T06:00:00Z"}
        unit.intents.begin("make_backup", data, order.at)
        unit.record_change(_change(backup))
    return order


def _change(backup: str):
    from evdesk.domain.audit import Change

    return Change(BEGUN, "backup", backup, {})


@pytest.mark.parametrize("finished", [False, True])
def test_what_was_cut_off_is_looked_at_before_the_next_one(office: Office, finished: bool) -> None:
    order = begin(office, "B-CUTOFF00")
    if finished:
        with office.files.alone():
            office.files.make(order)
    office.service.create(office.usb)
    ended = [one for one in office.desk.audit() if one.action == MADE]
    assert ended[0].object_ref == "B-CUTOFF00"
    assert ended[0].outcome is (Outcome.OK if finished else Outcome.FAILED)
    assert json.loads(ended[0].facts)["cut_off"] is True
    assert len(office.there()) == 1 + finished


def test_one_that_is_being_made_elsewhere_is_not_taken_for_one_that_was_cut_off(
    office: Office,
) -> None:
    begin(office, "B-ALIVE000")
    with office.files.alone(), pytest.raises(StorageError, match="Another backup"):
        office.service.create(office.usb)
    with office.desk.store.read() as unit:
        assert len(unit.intents.open("make_backup")) == 1


# -- the schedule ------------------------------------------------------------------------------


def test_the_schedule_is_set_and_in_the_log(office: Office) -> None:
    assert office.service.schedule().state is ScheduleState.UNDECIDED
    found = office.service.set_schedule(on=True, folder=office.usb, at_minute=150, keep_days=7)
    assert found == office.service.schedule()
    assert (found.folder, found.at_minute, found.keep_days) == (office.usb, 150, 7)
    entry = office.desk.audit()[-1]
    assert (entry.action, json.loads(entry.facts)) == (
        SCHEDULED,
        {"state": "on", "folder": "chosen", "at_minute": 150, "keep_days": 7},
    )
    before = len(office.desk.audit())
    office.service.set_schedule(on=True)
    assert len(office.desk.audit()) == before
    off = office.service.set_schedule(on=False)
    assert (off.state, off.folder, off.keep_days) == (ScheduleState.OFF, office.usb, 7)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_backups_are_kept_for_a_bounded_time(office: Office, days: int) -> None:
    with office.desk.refused(f"{days} is neither"):
        office.service.set_schedule(on=True, keep_days=days)


def test_no_schedule_for_a_folder_that_is_not_there(office: Office, folder: Path) -> None:
    with office.desk.refused("no folder"):
        office.service.set_schedule(on=True, folder=folder.parent / "nowhere")
    with office.desk.refused("time of day"):
        office.service.set_schedule(on=True, at_minute=1440)


# -- the keeper --------------------------------------------------------------------------------


def test_one_is_made_every_day_and_proven(office: Office) -> None:
    office.turn_on()
    office.step()
    assert len(office.there()) == 1
    office.step(timedelta(hours=10))
    assert len(office.there()) == 1
    office.step(timedelta(hours=14))
    assert len(office.there()) == 2
    assert office.faults() == []
    assert [one.verified for one in office.service.find()] == [True, True]


def test_nothing_is_made_where_nobody_wants_it(office: Office) -> None:
    for _ in range(3):
        office.step(DAY)
    assert office.there() == []


def test_old_ones_go_by_themselves(office: Office) -> None:
    office.turn_on()
    for _ in range(40):
        office.step(DAY)
    assert len(office.there()) == 31


def test_it_waits_until_the_hour_is_sealed_but_not_for_ever(office: Office) -> None:
    office.turn_on()
    office.desk.add_meter()
    with office.desk.store.journal() as unit:
        unit.readings.add([Reading(MeterId(1), 1, START - timedelta(hours=6), 1_000, b"")])
    office.clock.at = START.replace(hour=2, minute=10)  # ten past three at the site
    office.step()
    assert office.there() == []
    office.step(timedelta(minutes=55))
    assert len(office.there()) == 1


@contextmanager
def broken(folder: Path) -> Iterator[None]:
    """Let a drive be away for a while."""
    away = folder.with_name("away")
    folder.rename(away)
    try:
        yield
    finally:
        away.rename(folder)


def test_a_failure_is_a_fault_that_ends_with_the_next_good_one(office: Office) -> None:
    office.turn_on()
    with broken(office.usb):
        office.step()
        assert office.faults() == [FaultCode.BACKUP_FAILED]
        with office.desk.store.read() as unit:
            (fault,) = unit.faults.find(FaultFilter(open_only=True))
        template, facts = fault.detail()
        assert "no folder" in template.format(**facts)
        office.step(timedelta(minutes=5))  # not every half minute
    office.step(timedelta(minutes=5))
    assert office.faults() == [FaultCode.BACKUP_FAILED]
    office.step(timedelta(hours=1))
    assert office.faults() == []
    assert len(office.there()) == 1


def test_a_backup_that_does_not_hold_is_a_fault(office: Office) -> None:
    office.turn_on()

    def spoil(stage: BackupStage, share: float) -> None:
        if stage is BackupStage.UNPACKING:
            for file in office.there():
                os.truncate(file, 100_000)

    office.keeper.step(spoil)
    assert office.faults() == [FaultCode.BACKUP_FAILED]
    assert office.actions()[-1] == (VERIFIED, Outcome.FAILED)
    office.step(timedelta(hours=2))
    assert office.faults() == []


def test_three_days_without_a_backup_are_a_fault(office: Office) -> None:
    office.step()  # from here on it counts
    office.step(2 * DAY)
    assert office.faults() == []
    office.step(2 * DAY)
    assert office.faults() == [FaultCode.BACKUP_OVERDUE]
    office.service.create(office.usb)
    office.step()
    assert office.faults() == []
    office.step(4 * DAY)
    assert office.faults() == [FaultCode.BACKUP_OVERDUE]
    office.service.set_schedule(on=False)
    office.step()
    assert office.faults() == []


def test_a_collector_that_begins_anew_leaves_the_faults_of_backups_open(office: Office) -> None:
    from evdesk.services.watching import Watchman

    office.step()
    office.step(4 * DAY)
    watchman = Watchman(office.desk.store, [], office.desk.devices, office.clock)
    assert watchman.take().changes == ()


def test_whoever_ends_the_collector_ends_the_backup(office: Office) -> None:
    office.turn_on()

    def ended(stage: BackupStage, share: float) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        office.keeper.step(ended)
    assert office.faults() == []
    assert list(office.usb.iterdir()) == []
    office.step()
    assert len(office.there()) == 1


# -- the keys of persons -----------------------------------------------------------------------


def test_keys_of_persons_lie_nowhere_for_longer_than_a_week(office: Office, tmp_path) -> None:
    drawer = tmp_path / "drawer"
    drawer.mkdir()
    office.turn_on()
    office.service.create(drawer)
    office.step()
    for _ in range(8):
        office.step(DAY)
    assert not (drawer / "persons.db").exists()
    assert (drawer / "erasures.jsonl").exists()
    assert (office.usb / "persons.db").exists()
    with office.desk.store.read() as unit:
        assert list(unit.backups.places()) == [office.usb]


def test_a_drive_that_is_away_is_tidied_when_it_is_back(office: Office) -> None:
    office.service.create(office.usb)
    with broken(office.usb):
        office.step(8 * DAY)
    assert (office.usb / "persons.db").exists()
    office.step(timedelta(hours=2))
    assert not (office.usb / "persons.db").exists()


def test_where_backups_go_the_keys_of_persons_are_renewed_although_backups_fail(
    office: Office, folder: Path
) -> None:
    office.turn_on()
    office.step()
    before = (office.usb / "persons.db").stat().st_ino
    office.service.set_schedule(on=True, at_minute=0)
    with office.desk.store.journal() as unit:
        unit.backups.note_done(office.clock.at + 30 * DAY)  # none is due
    office.step(8 * DAY)
    assert (office.usb / "persons.db").stat().st_ino != before
    assert not list(office.usb.glob(".evdesk*"))
