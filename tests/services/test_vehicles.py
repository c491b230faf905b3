"""VINs: kept only with consent, shown in part, found by a keyed hash, gone when told."""

from datetime import timedelta

import pytest

from evdesk.domain.consents import ConsentState
from evdesk.domain.errors import NoGround, UserError
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import VIN
from evdesk.domain.site import Actor, DriverId, Role
from evdesk.ports import KeyErasure
from evdesk.services.vehicles import VehicleService
from tests.fakes.clock import START
from tests.services.desk import Desk
from tests.storage.sites import DONE

NUMBER, OTHER = "1M8GDM9AXKP042788", "WVWZZZ1JZXW000001"


@pytest.fixture
def kim(desk: Desk) -> DriverId:
    return desk.add_driver()


def test_without_consent_nothing_is_kept_and_the_attempt_is_in_the_log(
    desk: Desk, kim: DriverId
) -> None:
    for state in (None, ConsentState.REFUSED):
        if state is not None:
            desk.consent(kim, VIN, state)
        with pytest.raises(NoGround, match=r"may not be used for 'vin': no consent\. Nothing"):
            desk.vehicles.set(kim, NUMBER)
        entry = desk.audit()[-1]
        assert (entry.action, entry.object_ref, entry.outcome) == (
            "processing.refused", kim, "denied",
        )  # fmt: skip
        with desk.store.read() as unit:
            assert unit.vehicles.persons() == []
            assert unit.vehicles.get(kim) is None


def test_with_consent_it_is_kept_and_shown_in_part(desk: Desk, kim: DriverId) -> None:
    desk.consent(kim, VIN)
    assert desk.vehicles.set(kim, NUMBER.lower()).vin == "1M8**********2788"
    assert not desk.vehicles.show(kim).doubtful
    assert desk.vehicles.find(NUMBER) == [kim]
    assert desk.vehicles.find(OTHER) == []
    assert desk.vehicles.set(kim, OTHER).doubtful
    assert desk.vehicles.find(NUMBER) == []
    assert desk.vehicles.show(kim).vin == "WVW**********0001"
    assert NUMBER not in "".join(one.facts for one in desk.audit())


def test_from_the_instant_of_a_withdrawal_it_is_neither_shown_nor_found(
    desk: Desk, kim: DriverId
) -> None:
    desk.consent(kim, VIN)
    desk.vehicles.set(kim, NUMBER)
    desk.consent(kim, VIN, ConsentState.WITHDRAWN)
    with desk.refused("no consent", NoGround):
        desk.vehicles.show(kim)
    assert desk.vehicles.find(NUMBER) == []
    with pytest.raises(NoGround):
        desk.vehicles.set(kim, OTHER)
    desk.vehicles.remove(kim)  # needs no consent
    with desk.refused("nothing to delete"):
        desk.vehicles.remove(kim)


def test_two_people_may_drive_one_car(desk: Desk, kim: DriverId) -> None:
    lee = desk.add_driver()
    for one in (kim, lee):
        desk.consent(one, VIN)
        desk.vehicles.set(one, NUMBER)
    assert desk.vehicles.find(NUMBER) == [kim, lee]
    desk.consent(kim, VIN, ConsentState.WITHDRAWN)
    assert desk.vehicles.find(NUMBER) == [lee]


def test_what_is_no_vin_is_refused_before_consent_is_looked_at(desk: Desk, kim: DriverId) -> None:
    with desk.refused("17 characters"):
        desk.vehicles.set(kim, "4711")
    with desk.refused("no driver D-9"):
        desk.vehicles.set(DriverId("D-9"), NUMBER)


def test_an_auditor_sees_that_there_is_one_and_no_more(desk: Desk, kim: DriverId) -> None:
    desk.consent(kim, VIN)
    desk.vehicles.set(kim, NUMBER)
    store = desk.store.acting_as(Actor("A-9", Role.AUDITOR))
    assert VehicleService(store, desk.clock).show(kim).vin == ""


@pytest.mark.parametrize("for_good", [True, False])
def test_after_an_erasure_it_comes_back_only_where_a_consent_was_withdrawn(
    desk: Desk, kim: DriverId, for_good: bool
) -> None:
    desk.consent(kim, VIN)
    desk.vehicles.set(kim, NUMBER)
    with desk.store.write() as unit:
        unit.vehicles.delete(kim)
        gone = KeyErasure(kim, DataClass.VIN, START, "rule", for_good=for_good)
        unit.key_erasures.add(gone)
        unit.record_change(DONE)
    desk.store._persons.destroy(kim, "vin")  # type: ignore[attr-defined]
    desk.clock.at += timedelta(days=1)
    if for_good:
        with desk.refused("erased for good", UserError):
            desk.vehicles.set(kim, OTHER)
    else:
        assert desk.vehicles.set(kim, OTHER).vin == "WVW**********0001"
        assert desk.vehicles.show(kim).vin == "WVW**********0001"
