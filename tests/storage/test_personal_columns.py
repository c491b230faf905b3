"""Every column of the databases is personal, with its class, or said not to be."""

import tomllib
from pathlib import Path

import pytest

from evdesk.domain.personal_data import DataClass
from evdesk.settings import shipped
from evdesk.storage.connection import Connection
from evdesk.storage.drivers import DATA_CLASSES
from evdesk.storage.retention_file import shipped_rules
from tests.storage.sites import persons_of, raw

PRIVACY = shipped("resources") / "privacy"
NONE, FIELDS = "none", "fields"
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def listed() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((PRIVACY / "columns.toml").read_text(encoding="utf-8"))


def columns(connection: Connection) -> set[tuple[str, str]]:
    return {
        (table, column[1])
        for (table,) in connection.all(TABLES)
        for column in connection.all(f"PRAGMA table_xinfo({table})")
    }


@pytest.fixture
def real(folder: Path, data_key) -> set[tuple[str, str]]:
    site = raw(folder, data_key)
    persons = Connection(persons_of(folder, data_key)._place)
    try:
        return columns(site) | columns(persons)
    finally:
        site.close()
        persons.close()


def test_every_column_is_listed_once_and_no_other(real) -> None:
    named = [
        (table, column)
        for table, classes in listed().items()
        for columns in classes.values()
        for column in columns
    ]
    assert sorted(set(named) - real) == []
    assert sorted(real - set(named)) == []
    assert len(named) == len(set(named))


def test_every_class_is_one_of_ours_and_sealed_fields_have_theirs_beside_them() -> None:
    known = {*DataClass, NONE, FIELDS}
    assert {name for classes in listed().values() for name in classes} <= known
    assert set(DATA_CLASSES.values()) <= set(DataClass)


def test_every_class_that_is_kept_has_a_rule_and_a_purpose() -> None:
    found = {name for classes in listed().values() for name in classes} - {NONE, FIELDS}
    found |= set(DATA_CLASSES.values())
    purposes = tomllib.loads((PRIVACY / "purposes.toml").read_text(encoding="utf-8"))
    served = {name for one in purposes["purpose"] for name in one["data_classes"]}
    assert sorted(found - served) == []
    assert sorted(found - {rule.data_class for rule in shipped_rules(PRIVACY).rules}) == []


def test_a_column_that_somebody_adds_is_missed(real) -> None:
    """The test above can fail."""
    named = {(t, c) for t, classes in listed().items() for cs in classes.values() for c in cs}
    assert (real | {("driver", "shoe_size")}) - named == {("driver", "shoe_size")}
