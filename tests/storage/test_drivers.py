"""A person is readable while the keys are there, in the clear nowhere, and gone with the keys."""

from dataclasses import replace

import pytest

from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.site import Driver, DriverId, Party
from tests.storage.sites import EVA, START, at, opened, persons_of, raw, writing

BOB = Driver(DriverId("d-2"), Party("Bob"), "en", at(1))


def add(store, *drivers: Driver) -> None:
    with writing(store) as unit:
        for driver in drivers:
            unit.drivers.add(driver)


def test_drivers_come_back_in_the_order_they_were_added(store) -> None:
    add(store, EVA, BOB)
    with store.read() as unit:
        assert unit.drivers.all() == [EVA, BOB]
        assert unit.drivers.get(EVA.id) == EVA
        assert unit.drivers.get(DriverId("nobody")) is None


def test_a_retired_driver_is_left_out_unless_asked_for(store) -> None:
    add(store, EVA, BOB)
    with writing(store) as unit:
        unit.drivers.retire(EVA.id, at(5))
    with store.read() as unit:
        assert unit.drivers.all() == [BOB]
        assert [driver.retired_at for driver in unit.drivers.all(retired=True)] == [at(5), None]


def test_a_destroyed_key_empties_its_class_and_no_other(store, folder, data_key) -> None:
    add(store, EVA)
    persons_of(folder, data_key).destroy(EVA.id, "contact")
    with store.read() as unit:
        found = unit.drivers.get(EVA.id)
    assert found is not None
    assert (found.party.name, found.party.email) == ("Eva Musterfrau", "")


def test_without_keys_a_driver_is_a_pseudonym(store, folder, data_key) -> None:
    add(store, EVA)
    for data_class in ("identity", "contact", "payment"):
        persons_of(folder, data_key).destroy(EVA.id, data_class)
    with store.read() as unit:
        assert unit.drivers.all() == [Driver(EVA.id, Party("d-1"), "de", START)]


def test_site_db_alone_shows_no_person_even_to_who_has_its_key(store, folder, data_key) -> None:
    add(store, EVA)
    connection = raw(folder, data_key)
    sealed = connection.all("SELECT sealed FROM person_field")
    rows = connection.all("SELECT * FROM driver") + connection.all("SELECT data FROM intent")
    connection.close()
    assert len(sealed) == 6
    assert "Musterfrau" not in str(rows)
    assert b"Musterfrau" not in b"".join(row[0] for row in sealed)


def test_a_field_moved_to_another_person_does_not_open(store, folder, data_key) -> None:
    add(store, EVA, BOB)
    connection = raw(folder, data_key)
    connection.run(
        "UPDATE person_field SET sealed = (SELECT sealed FROM person_field"
        " WHERE person_id = 'd-2' AND field = 'name') WHERE person_id = 'd-1' AND field = 'name'"
    )
    connection.close()
    with store.read() as unit, pytest.raises(StorageError, match="field name of driver d-1"):
        unit.drivers.get(EVA.id)


def test_a_driver_that_was_not_committed_leaves_no_key(store, folder, data_key) -> None:
    with pytest.raises(RuntimeError), store.write() as unit:
        unit.drivers.add(EVA)  # and no record of it
    assert persons_of(folder, data_key).keyrings() == {}


def test_adding_leaves_no_intent_open(store, folder, data_key) -> None:
    add(store, EVA)
    connection = raw(folder, data_key)
    assert connection.all("SELECT kind, done_at_ms IS NOT NULL FROM intent") == [
        ("confirm_person_keys", 1)
    ]
    connection.close()
    assert persons_of(folder, data_key).pending() == []


def test_keys_of_a_crash_before_the_commit_are_dropped_at_the_next_open(folder, data_key) -> None:
    persons = persons_of(folder, data_key)
    persons.create("d-9", frozenset({"identity"}))
    assert persons.pending() == ["d-9"]
    opened(folder, data_key).close()
    assert persons.keyrings() == {}


def test_keys_of_a_crash_after_the_commit_are_kept_at_the_next_open(folder, data_key) -> None:
    store = opened(folder, data_key)
    add(store, EVA)
    store.close()
    connection = raw(folder, data_key)
    connection.run("UPDATE intent SET done_at_ms = NULL")
    persons = persons_of(folder, data_key)
    persons.create("d-9", frozenset({"identity"}))
    opened(folder, data_key).close()
    assert connection.number("SELECT count(*) FROM intent WHERE done_at_ms IS NULL") == 0
    connection.close()
    assert list(persons.keyrings()) == [EVA.id]


def test_the_same_pseudonym_twice_is_refused_and_keeps_the_first(store) -> None:
    add(store, EVA)
    with pytest.raises(UserError, match="must be new"):
        add(store, Driver(EVA.id, Party("Other"), "de", START))
    with store.read() as unit:
        assert unit.drivers.all() == [EVA]


def test_a_correction_replaces_what_was_there(store, folder, data_key) -> None:
    add(store, EVA, BOB)
    after = replace(EVA, party=replace(EVA.party, name="Eva Neu", email=""), language="en")
    with writing(store) as unit:
        unit.drivers.change(after)
    with store.read() as unit:
        assert unit.drivers.all() == [after, BOB]
    connection = raw(folder, data_key)
    told = connection.all("SELECT field FROM person_field WHERE person_id = ?", (EVA.id,))
    connection.close()
    assert ("name",) in told
    assert ("email",) not in told


def test_what_was_erased_is_not_written_again(store, folder, data_key) -> None:
    add(store, EVA)
    persons_of(folder, data_key).destroy(EVA.id, "contact")
    with store.read() as unit:
        left = unit.drivers.get(EVA.id)
    assert left is not None
    with pytest.raises(UserError, match="erased for good"), writing(store) as unit:
        unit.drivers.change(replace(left, party=replace(left.party, email="e@example.org")))
    with writing(store) as unit:
        unit.drivers.change(replace(left, party=replace(left.party, city="Ulm")))
    with store.read() as unit:
        assert unit.drivers.get(EVA.id) == replace(left, party=replace(left.party, city="Ulm"))
