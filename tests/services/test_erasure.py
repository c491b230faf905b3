"""Erasing on request, class by class, on a real site: what goes, what stays and why."""

from datetime import date, timedelta

import pytest

from evdesk.domain.errors import UserError
from evdesk.domain.personal_data import DataClass
from evdesk.domain.requests import RequestKind, RequestState
from evdesk.domain.retention import Ended, HoldKind
from evdesk.domain.site import DriverId
from evdesk.ports import SessionFilter
from evdesk.services.erasing import CLAIMS, CONTRACT, HELD, LAW
from evdesk.services.erasure import ORDER, Erasure
from evdesk.services.requests import Asked
from evdesk.services.retention import RetentionService
from tests.fakes.clock import SetClock
from tests.services.desk import Desk
from tests.services.rights import KNOWN, RightsDesk

PERSONAL = (DataClass.IDENTITY, DataClass.CONTACT, DataClass.CARD)


@pytest.fixture
def room(desk: Desk) -> RightsDesk:
    return RightsDesk(desk)


def ends(found: Erasure) -> dict[DataClass, Ended]:
    return {one.end.data_class: one.end.action for one in found.classes}


def grounds(found: Erasure) -> dict[DataClass, str]:
    return {one.end.data_class: one.end.legal_ground for one in found.classes}


def test_a_plan_says_what_would_become_of_each_class_and_changes_nothing(room: RightsDesk) -> None:
    kim = room.billed()
    before = room.desk.everything()
    plan = room.erasures.plan(kim)
    assert room.desk.everything() == before
    assert [one.end.data_class for one in plan.classes] == list(ORDER)
    assert ends(plan)[DataClass.IDENTITY] is Ended.ERASED
    assert ends(plan)[DataClass.SESSION_LINK] is Ended.ANONYMISED
    assert grounds(plan)[DataClass.INVOICE] == LAW
    assert grounds(plan)[DataClass.REQUEST] == CLAIMS
    assert ends(room.erasures.erase(kim, KNOWN)) == ends(plan)


def test_the_person_is_gone_and_the_invoice_stays(room: RightsDesk) -> None:
    kim, desk = room.billed(), room.desk
    (invoice,) = desk.billing.all()
    document = desk.billing.document(invoice.id)
    done = room.erasures.erase(kim, KNOWN)
    driver = desk.drivers.get(kim)
    assert (driver.party.name, driver.party.email) == (kim, "")
    assert driver.retired_at is not None
    assert desk.cards.all() == []
    assert desk.billing.document(invoice.id) == document
    assert desk.billing.get(invoice.id).buyer.name == "Kim Lee"
    with desk.store.read() as unit:
        assert [one.driver for one in unit.sessions.find(SessionFilter())] == [None]
    (kept,) = [one for one in done.classes if one.end.data_class is DataClass.INVOICE]
    assert kept.end.until is not None
    assert f"{kept.end.until:%Y-%m-%d}" == "2034-12-31"
    assert done.emptied


def test_the_request_is_answered_and_the_log_says_what_became_of_each_class(
    room: RightsDesk,
) -> None:
    kim = room.billed()
    waiting = room.requests.add(kim, RequestKind.ERASURE).request.id
    done = room.erasures.erase(kim, KNOWN)
    assert done.request is not None
    assert done.request.request.id == waiting
    assert done.request.request.state is RequestState.ANSWERED
    entry = next(one for one in room.desk.audit() if one.action == "rights.erased")
    assert '"identity":"erased"' in entry.facts
    assert "Kim" not in str(room.desk.audit())


def test_what_is_still_to_be_billed_keeps_what_billing_needs(room: RightsDesk) -> None:
    kim = room.billed()
    room.charge_once_more(kim)
    room.desk.charge(kim, None, room.desk.clock.now() - timedelta(hours=1))
    done = room.erasures.erase(kim, KNOWN)
    assert done.waits
    for one in done.classes:
        if one.end.data_class in PERSONAL and one.end.data_class is not DataClass.CARD:
            assert one.end.legal_ground == CONTRACT
            codes = {reason.code: reason.count for reason in one.reasons}
            assert codes == {"open_session": 1, "unbilled_session": 1}
    assert room.desk.drivers.get(kim).party.name == "Kim Lee"


def test_once_it_is_billed_the_rest_goes(room: RightsDesk) -> None:
    kim, desk = room.billed(), room.desk
    room.charge_once_more(kim)
    room.erasures.erase(kim, KNOWN)
    at = desk.clock.now() - timedelta(hours=9)
    desk.billing.issue(desk.billing.draft(kim, f"{at:%Y-%m}").invoice.id)
    done = room.erasures.erase(kim, KNOWN)
    assert not done.waits
    assert desk.drivers.get(kim).party.name == kim


def test_a_hold_keeps_everything_and_is_named(room: RightsDesk) -> None:
    kim, desk = room.billed(), room.desk
    retention = RetentionService(desk.store, desk.clock, SetClock(), room.rules.offered)
    hold = retention.hold(HoldKind.PERSON, kim, "a claim", date(2027, 1, 1))
    done = room.erasures.erase(kim, KNOWN)
    assert {one.end.legal_ground for one in done.classes} == {HELD}
    held = {one.id: one.rows for one in room.rights.preview(kim).holdings}
    assert [row[0] for row in held["restraints"]] == ["legal_hold"]
    (reason,) = done.classes[0].reasons
    assert (reason.code, reason.count) == ("legal_hold", hold.id)
    assert reason.until is not None
    assert desk.drivers.get(kim).party.name == "Kim Lee"


def test_nobody_unknown_has_anything_erased(room: RightsDesk) -> None:
    kim = room.billed()
    with room.desk.refused("Say how you know that it is"):
        room.erasures.erase(kim, Asked())
    with pytest.raises(UserError, match="There is no driver"):
        room.erasures.plan(DriverId("D-NONE"))


def test_erasing_twice_finds_nothing_more(room: RightsDesk) -> None:
    kim = room.billed()
    room.erasures.erase(kim, KNOWN)
    held = {one.id: one.rows for one in room.rights.preview(kim).holdings}
    assert "erasure.begun" in {row[3] for row in held["audit"]}
    again = room.erasures.erase(kim, KNOWN)
    erased = [one.end.count for one in again.classes if one.end.action is Ended.ERASED]
    assert set(erased) == {0}
