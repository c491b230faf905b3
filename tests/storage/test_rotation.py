"""A new data key: all files or none, and nobody writes to the old ones any more."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from evdesk.domain.audit import Change
from evdesk.domain.errors import StorageError, WrongKey
from evdesk.domain.notes import Head
from evdesk.domain.secrets import Secret
from evdesk.domain.site import PROGRAM, Actor
from evdesk.ports import NewSlot, Store
from evdesk.storage import faults, keys, rotation
from evdesk.storage.anchor import Anchor
from evdesk.storage.key_file import read_keys
from evdesk.storage.migrations import SITE_SCHEMA, migrate
from evdesk.storage.rotation import NO_ROOM, Rotation
from evdesk.storage.site_folder import open_store
from evdesk.storage.site_keys import StoredSiteKeys
from evdesk.storage.site_store import SiteStore
from tests.storage.sites import (
    EVA,
    OWNER,
    PASSWORD,
    START,
    FixedClock,
    add_meter,
    opened,
    persons_of,
    raw,
    reading,
    writing,
)

ROTATED = Change("account.rotated", "site", "site-1", {})
AS_OWNER = Actor(OWNER.id, OWNER.role)


@pytest.fixture
def filled(folder: Path, data_key: Secret) -> SiteStore:
    """A site with a person and readings in it, open in the program's name."""
    store = open_store(folder, data_key, PROGRAM, FixedClock(), busy_timeout_ms=200)
    with writing(store) as unit:
        unit.drivers.add(EVA)
        meter = add_meter(unit)
        unit.readings.add([reading(meter, n) for n in range(2_000)])
    return store


def keys_of(folder: Path, store: SiteStore) -> StoredSiteKeys:
    unlocked = keys.unlock(folder, None, PASSWORD)
    return StoredSiteKeys(folder, store, FixedClock(), unlocked.data_key, unlocked.signing_key)


def intent(store: SiteStore) -> int:
    with store.journal() as unit:
        return unit.intents.begin("keys", {}, START)


def everything(store: Store) -> object:
    with store.read() as unit:
        return [one.party for one in unit.drivers.all()], unit.readings.count()


def test_everything_is_there_under_the_new_key_and_nothing_under_the_old(
    folder: Path, data_key: Secret, filled: SiteStore
) -> None:
    before = everything(filled)
    site_keys, number = keys_of(folder, filled), intent(filled)
    with site_keys.held():
        site_keys.rotate(AS_OWNER, ROTATED, number, lambda _share: None)
    assert everything(filled) == before
    with filled.read() as unit:
        entry = unit.audit.entries(1)[0]
        assert unit.intents.open("keys") == {}
        head = unit.audit.head()
    assert (entry.actor, entry.action) == (OWNER.id, "account.rotated")
    assert Anchor(folder).read() == head
    filled.close()
    with pytest.raises(WrongKey):
        raw(folder, data_key)
    with pytest.raises(WrongKey):
        persons_of(folder, data_key).keyrings()
    again = opened(folder, keys.unlock(folder, None, PASSWORD).data_key)
    with closing(again):
        assert everything(again) == before
        assert again.rollback is None


def test_the_new_files_are_for_their_owner_alone_and_in_the_write_ahead_log(
    folder: Path, filled: SiteStore
) -> None:
    site_keys, number = keys_of(folder, filled), intent(filled)
    with site_keys.held():
        site_keys.rotate(AS_OWNER, ROTATED, number, lambda _share: None)
    with closing(raw(folder, site_keys.data_key)) as connection:
        assert connection.one("PRAGMA journal_mode") == ("wal",)
        assert connection.one("PRAGMA foreign_key_check") is None
        assert connection.all("PRAGMA integrity_check") == [("ok",)]
    filled.close()
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert {path.name for path in folder.iterdir() if ".new" in path.name} == set()


def test_copies_that_nobody_could_open_any_more_are_removed(
    folder: Path, filled: SiteStore
) -> None:
    (folder / "site.schema-3.20260101T000000Z.db").write_bytes(b"copy")
    (folder / "persons.schema-1.20260101T000000Z.db").write_bytes(b"copy")
    site_keys, number = keys_of(folder, filled), intent(filled)
    with site_keys.held():
        site_keys.rotate(AS_OWNER, ROTATED, number, lambda _share: None)
    filled.close()
    assert list(folder.glob("*.schema-*")) == []


def test_a_disk_without_room_is_said_before_anything_is_begun(
    folder: Path, data_key: Secret, filled: SiteStore
) -> None:
    names = sorted(path.name for path in folder.iterdir())
    renewal = Rotation(folder, data_key, os.urandom, free_bytes=lambda _folder: 4_000_000)
    with pytest.raises(StorageError, match="needs room for a second copy") as refusal:
        renewal.carry_out(filled, ROTATED, 1, lambda _share: None)
    assert refusal.value.template == NO_ROOM
    assert sorted(path.name for path in folder.iterdir()) == names
    filled.close()


@pytest.mark.skipif(os.name != "posix", reason="only POSIX limits the size of files")
def test_a_disk_that_is_full_in_the_middle_leaves_the_site_as_it_was(
    folder: Path, data_key: Secret, filled: SiteStore
) -> None:
    import resource

    before, limits = everything(filled), resource.getrlimit(resource.RLIMIT_FSIZE)
    small = (folder / "site.db").stat().st_size // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (small, limits[1]))
    try:
        with pytest.raises(StorageError):
            Rotation(folder, data_key, os.urandom).carry_out(
                filled, ROTATED, 1, lambda _share: None
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    rotation.finish(folder, data_key)
    assert everything(filled) == before
    filled.close()
    assert not list(folder.glob("*.new*"))


def test_whatever_ends_it_half_way_leaves_the_site_as_it_was(
    folder: Path, data_key: Secret, filled: SiteStore
) -> None:
    before = everything(filled)

    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    renewal = Rotation(folder, data_key, os.urandom)
    with pytest.raises(KeyboardInterrupt):
        renewal.carry_out(filled, ROTATED, 1, stop)
    assert everything(filled) == before
    with writing(filled) as unit:
        add_meter(unit, "M2")
    with closing(raw(folder, data_key)) as connection:
        assert connection.one("PRAGMA journal_mode") == ("wal",)
    filled.close()
    assert not list(folder.glob("*.new*"))


def test_nothing_reads_or_writes_in_between(
    folder: Path, data_key: Secret, filled: SiteStore
) -> None:
    refused = []

    def meddle(_share: float) -> None:
        for use in (filled.read, filled.journal, filled.write):
            with pytest.raises(StorageError, match="being renewed"), use():
                pass
        with pytest.raises(StorageError, match="being renewed"):
            filled.data_version()
        refused.append(1)

    site_keys, number = keys_of(folder, filled), intent(filled)
    with site_keys.held():
        site_keys.rotate(AS_OWNER, ROTATED, number, meddle)
    assert refused
    filled.data_version()
    filled.close()


def test_a_database_that_is_marked_as_replaced_takes_nothing_more(
    folder: Path, data_key: Secret, filled: SiteStore
) -> None:
    with closing(raw(folder, data_key)) as connection:
        schema = connection.number("PRAGMA user_version")
        connection.run(f"PRAGMA user_version = {-schema}")
    with pytest.raises(StorageError, match="being renewed"), writing(filled) as unit:
        add_meter(unit, "M2")
    filled.close()
    place = faults.Place(folder / "site.db", data_key, 200)
    with pytest.raises(StorageError, match="being renewed"):
        migrate(place, SITE_SCHEMA, START)
    (folder / "persons.db.new").touch()  # what a renewal leaves that was killed there
    rotation.finish(folder, data_key)
    opened(folder, data_key).close()


def test_a_log_in_doubt_keeps_its_key(folder: Path, filled: SiteStore) -> None:
    site_keys, number = keys_of(folder, filled), intent(filled)
    filled.close()
    Anchor(folder).put(Head(99, bytes(32)))
    store = open_store(folder, site_keys.data_key, PROGRAM, FixedClock())
    doubted = keys_of(folder, store)
    with doubted.held(), pytest.raises(StorageError, match="not the one that this folder had"):
        doubted.rotate(AS_OWNER, ROTATED, number, lambda _share: None)
    store.close()


def test_both_keys_are_kept_until_the_files_are_replaced(folder: Path, data_key: Secret) -> None:
    """As it stands after step 4, whoever opens gets the new key, and the old one is not lost."""
    renewal = Rotation(folder, data_key, os.urandom)
    renewal._seal()
    file, _ = read_keys(folder)
    assert file.former is not None
    assert set(file.former) == {slot.id for slot in file.slots}
    assert keys.unlock(folder, None, PASSWORD).data_key.reveal() == renewal._new_key.reveal()


def test_a_slot_that_is_made_waits_to_be_put(folder: Path, store, data_key: Secret) -> None:
    site_keys = keys_of(folder, store)
    made: NewSlot = site_keys.password_slot(OWNER.id, "anna", Secret(b"other"), signs=True)
    assert made.info.id not in {slot.id for slot in site_keys.slots()}
    site_keys.change(made, [])
    assert [slot.id for slot in site_keys.slots() if slot.account == OWNER.id] == [made.info.id]
