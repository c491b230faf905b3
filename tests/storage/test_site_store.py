"""Transactions: what commits, what is undone, and what is said about it."""

import contextlib
import threading

import pytest

from evdesk.domain.errors import StorageError, UserError
from evdesk.storage.migrations import SITE_SCHEMA, newest
from tests.storage.sites import (
    DONE,
    EVA,
    FixedClock,
    add_meter,
    at,
    interrupted,
    opened,
    raw,
    reading,
    writing,
)


def names(store) -> list[str]:
    with store.read() as unit:
        return [meter.name for meter in unit.meters.all()]


def test_a_recorded_change_is_kept_with_its_audit_entry(store) -> None:
    with writing(store) as unit:
        add_meter(unit)
    with store.read() as unit:
        newest = unit.audit.entries(1)[0]
    assert names(store) == ["M1"]
    assert (newest.action, newest.actor, newest.at) == ("test.do", "a-1", FixedClock().now())
    assert newest.facts == '{"wh":1}'


def test_a_change_without_an_audit_entry_is_undone_and_is_a_bug(store) -> None:
    with pytest.raises(RuntimeError, match="recorded no change"), store.write() as unit:
        add_meter(unit)
    assert names(store) == []


def test_a_transaction_that_writes_nothing_needs_no_audit_entry(store) -> None:
    with store.write() as unit:
        assert unit.meters.by_name("M1") is None
    with store.read() as unit:
        assert unit.audit.count() == 2  # the log begins, the site is created


def test_an_error_undoes_everything_with_its_audit_entry(store) -> None:
    with pytest.raises(InterruptedError), writing(store) as unit:
        interrupted(add_meter(unit))
    assert names(store) == []


def test_a_view_cannot_write(store) -> None:
    with store.read() as unit, pytest.raises(StorageError, match="cannot be written"):
        add_meter(unit)


def test_a_view_stays_as_it_was_while_others_write(store) -> None:
    with store.read() as view:
        assert view.meters.all() == []
        with writing(store) as unit:
            add_meter(unit)
        assert view.meters.all() == []
    assert names(store) == ["M1"]


def test_a_name_that_is_taken_is_refused_in_words(store) -> None:
    with writing(store) as unit:
        add_meter(unit)
    with pytest.raises(UserError, match="meter name must be new"), writing(store) as unit:
        add_meter(unit)


def test_a_database_kept_busy_is_given_up_with_what_to_do(store, folder, data_key) -> None:
    other = raw(folder, data_key)
    other.run("BEGIN IMMEDIATE")
    said = pytest.raises(StorageError, match=r"busy for 0\.2 s; nothing was written")
    with said, store.write():
        pass
    with pytest.raises(StorageError, match="busy"), store.journal():
        pass
    assert names(store) == []  # reading goes on
    other.close()


def test_the_journal_goes_on_after_a_busy_database(store, folder, data_key) -> None:
    with writing(store) as unit:
        meter = add_meter(unit)
    other = raw(folder, data_key)
    other.run("BEGIN IMMEDIATE")
    with pytest.raises(StorageError), store.journal() as unit:
        unit.readings.add([reading(meter, 1)])
    other.close()
    with store.journal() as unit:
        unit.readings.add([reading(meter, 2)])
        assert unit.readings.count() == 1


def test_the_journal_may_be_used_from_several_threads(store) -> None:
    with writing(store) as unit:
        meters = [add_meter(unit, f"M{n}") for n in range(4)]

    def work(meter) -> None:
        for second in range(20):
            with store.journal() as unit:
                unit.readings.add([reading(meter, second)])

    threads = [threading.Thread(target=work, args=(meter,)) for meter in meters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as unit:
        assert unit.readings.count() == 80


def test_the_data_version_moves_with_every_commit(store, folder, data_key) -> None:
    other = opened(folder, data_key)
    seen = [store.data_version()]
    with writing(store) as unit:
        meter = add_meter(unit)
    seen.append(store.data_version())
    with other.journal() as unit:
        unit.readings.add([reading(meter)])
    seen.append(store.data_version())
    other.close()
    assert len(set(seen)) == 3
    assert store.data_version() == seen[-1]


def test_size_counts_the_write_ahead_log(store) -> None:
    before = store.size_bytes()
    with writing(store) as unit:
        meter = add_meter(unit)
        unit.readings.add([reading(meter, second) for second in range(2_000)])
    assert store.size_bytes() > before + 2_000 * 40
    assert store.schema_version() == newest(SITE_SCHEMA)


def test_a_disk_that_takes_no_more_is_said_and_nothing_is_lost(store, folder) -> None:
    with writing(store) as unit:
        meter = add_meter(unit)
    resource = pytest.importorskip("resource", reason="only POSIX limits the size of a file")
    wal = folder / "site.db-wal"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    said = pytest.raises(StorageError, match="nothing of this step was written")
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 10_000, limits[1]))
    try:
        with said, store.journal() as unit:
            unit.readings.add([reading(meter, second) for second in range(100_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with store.journal() as unit:
        assert unit.readings.count() == 0
        unit.readings.add([reading(meter)])


def test_a_full_disk_is_said_in_words(store, folder, data_key) -> None:
    full = raw(folder, data_key)
    full.run("PRAGMA max_page_count = 1")  # not below what there is
    full.run("BEGIN IMMEDIATE")
    rows = (("x" * 1_000,) for _ in range(10_000))
    with pytest.raises(StorageError, match="The disk is full"):
        full.many("INSERT INTO intent (kind, data, started_at_ms) VALUES (?, '[]', 0)", rows)
    full.close()


def test_other_databases_cannot_be_attached(folder, data_key) -> None:
    connection = raw(folder, data_key)
    with pytest.raises(StorageError, match="not authorized"):
        connection.run(f"ATTACH '{folder}/plain.db' AS plain KEY ''")
    connection.close()
    assert not (folder / "plain.db").exists()


def test_no_file_shows_a_name_or_a_table(store, folder) -> None:
    with writing(store) as unit:
        unit.drivers.add(EVA)
        meter = add_meter(unit, "Zaehler-Nordhof")
    with store.journal() as unit:
        unit.readings.add([reading(meter, second) for second in range(500)])
    everything = b"".join(file.read_bytes() for file in folder.iterdir())
    for text in (b"SQLite format 3", b"CREATE TABLE", b"Zaehler-Nordhof", b"Musterfrau", b"anna"):
        assert text not in everything


def test_audit_entries_come_newest_first_page_by_page(store) -> None:
    for _ in range(3):
        with store.write() as unit:
            unit.record_change(DONE)
    with store.read() as unit:
        assert [entry.seq for entry in unit.audit.entries(2)] == [4, 3]
        assert [entry.seq for entry in unit.audit.entries(9, before_seq=3)] == [2, 1, 0]


def test_what_is_read_is_never_older_than_what_was_committed(store, folder, data_key) -> None:
    """Also through connections that are kept, and after rows were left half read."""
    other = opened(folder, data_key)
    with contextlib.closing(other):
        for number in range(5):
            with writing(other) as unit:
                add_meter(unit, f"M{number}")
            with store.read() as unit:
                assert len(unit.meters.all()) == number + 1
        with store.read() as unit:
            rows = unit._connection.each("SELECT name FROM meter")
            next(rows)
        with writing(other) as unit:
            add_meter(unit, "M9")
        with store.read() as unit:
            assert len(unit.meters.all()) == 6
        with pytest.raises(StorageError):
            next(rows)


def test_a_unit_of_work_leaves_no_lock_and_no_rights_behind(store, folder, data_key) -> None:
    with store.read() as unit:
        unit.meters.all()
    with writing(store) as unit:
        add_meter(unit)
    with contextlib.closing(raw(folder, data_key)) as connection:
        busy, _, _ = connection.one("PRAGMA wal_checkpoint(TRUNCATE)") or (1, 0, 0)
        assert busy == 0
    with pytest.raises(StorageError), store.read() as unit:
        unit.site.set_stepped(at(1))
