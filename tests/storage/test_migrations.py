"""An older site is brought up to date as a whole, with a copy kept; a newer one is left alone."""

import shutil
from pathlib import Path

import pytest

from evdesk.domain.errors import StorageError
from evdesk.domain.readings import MeterId
from evdesk.domain.secrets import Secret
from evdesk.storage import migrations
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from evdesk.storage.reading_rows import COLUMNS, INSERT, reading_values
from tests.storage.sites import START, add_meter, opened, raw, reading, writing

NEWEST = migrations.newest(migrations.SITE_SCHEMA)


@pytest.fixture
def next_schema(tmp_path: Path) -> Path:
    """The schema folder of a later evdesk: two more steps."""
    schema = Path(shutil.copytree(migrations.SITE_SCHEMA, tmp_path / "schema"))
    (schema / f"{NEWEST + 1:04}_add.sql").write_text("ALTER TABLE meter ADD COLUMN note TEXT;")
    (schema / f"{NEWEST + 2:04}_fill.sql").write_text("UPDATE meter SET note = 'old';")
    return schema


@pytest.fixture
def place(folder, data_key) -> Place:
    store = opened(folder, data_key)
    with writing(store) as unit:
        add_meter(unit)
    store.close()
    return Place(folder / "site.db", data_key, 200)


def schema_of(place: Place) -> int:
    connection = Connection(place)
    try:
        return connection.number("PRAGMA user_version")
    finally:
        connection.close()


def test_every_step_is_taken_and_the_old_file_kept(place, next_schema) -> None:
    copy = migrations.migrate(place, next_schema, START)
    assert copy is not None
    assert copy.name == f"site.schema-{NEWEST}.20260302T060000Z.db"
    assert schema_of(place) == NEWEST + 2
    assert schema_of(Place(copy, place.key, 200)) == NEWEST
    assert b"SQLite format 3" not in copy.read_bytes()


def test_the_copy_holds_what_the_old_file_held(place, next_schema) -> None:
    copy = migrations.migrate(place, next_schema, START)
    assert copy is not None
    connection = Connection(Place(copy, place.key, 200))
    assert connection.all("SELECT name FROM meter") == [("M1",)]
    connection.close()


def test_a_step_that_fails_leaves_everything_as_it_was(place, next_schema) -> None:
    (next_schema / f"{NEWEST + 3:04}_bad.sql").write_text("INSERT INTO nowhere VALUES (1);")
    with pytest.raises(StorageError, match="no such table"):
        migrations.migrate(place, next_schema, START)
    assert schema_of(place) == NEWEST


def test_a_site_that_is_up_to_date_is_not_copied(place, folder) -> None:
    assert migrations.migrate(place, migrations.SITE_SCHEMA, START) is None
    assert not list(folder.glob("*.schema-*"))


def test_a_newer_schema_is_refused_with_what_to_do(place, folder, data_key, next_schema) -> None:
    migrations.migrate(place, next_schema, START)
    with pytest.raises(StorageError, match=rf"schema {NEWEST + 2}.*up to {NEWEST}.*Install"):
        opened(folder, data_key)


def test_a_site_migrated_under_an_open_window_is_not_written_any_more(
    store, folder, data_key
) -> None:
    other = raw(folder, data_key)
    other.run(f"PRAGMA user_version = {NEWEST + 1}")
    other.close()
    for access in (store.read, store.write, store.journal):
        with pytest.raises(StorageError, match="newer evdesk"), access():
            pass


def test_statements_are_split_where_they_end() -> None:
    text = (
        "-- one;\nCREATE TABLE a (b);\nCREATE TRIGGER c BEFORE DELETE ON a\nBEGIN SELECT 1; END;\n"
    )
    assert [one.splitlines()[-1] for one in migrations.statements(text)] == [
        "CREATE TABLE a (b);",
        "BEGIN SELECT 1; END;",
    ]
    with pytest.raises(ValueError, match="without an end"):
        migrations.statements("SELECT 1")


def test_readings_keyed_by_meter_are_taken_over_whole(tmp_path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for number, file in migrations.steps(migrations.SITE_SCHEMA).items():
        if number < 7:
            shutil.copy(file, before)
    place = Place(tmp_path / "site.db", Secret(bytes(32)), 200)
    migrations.create(place, before, wal=True)
    connection = Connection(place)
    for meter in ("M1", "M2"):
        connection.run(
            "INSERT INTO meter (name, profile, url, unit, phases, role, created_at_ms)"
            " VALUES (?, 'p', 'u', 1, '123', 'station', 0)",
            (meter,),
        )
    kept = [
        reading_values(reading(MeterId(meter), seconds))
        for meter in (1, 2)
        for seconds in (0, 1, 899.999, 900, 3_600, 90_000, 90_000.5)
    ]
    connection.many(INSERT, kept)
    connection.close()
    migrations.migrate(place, migrations.SITE_SCHEMA, START)
    connection = Connection(place)
    found = connection.all(f"SELECT {COLUMNS} FROM reading ORDER BY meter_id, socket, at_ms")
    newest = connection.all("SELECT * FROM newest_reading ORDER BY meter_id")
    connection.close()
    assert found == kept
    assert newest == [(1, 1, kept[6][2]), (2, 1, kept[6][2])]


def test_every_table_is_strict_and_every_reference_holds(folder, data_key) -> None:
    connection = raw(folder, data_key)
    tables = connection.all("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    loose = [name for name, strict in tables if not strict and not name.startswith("sqlite_")]
    assert loose == []
    assert connection.all("PRAGMA foreign_key_check") == []
    connection.close()
