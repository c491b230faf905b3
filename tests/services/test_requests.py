"""The register of requests and its clock, on a real site."""

from datetime import date, timedelta

import pytest

from evdesk.documents.tables import Tables
from evdesk.domain.errors import UserError
from evdesk.domain.requests import IdentityCheck, RequestId, RequestKind, RequestState
from evdesk.domain.site import DriverId
from evdesk.services.requests import RequestService
from tests.services.desk import Desk

START_DAY = date(2026, 3, 2)


@pytest.fixture
def requests(desk: Desk) -> RequestService:
    return RequestService(desk.store, desk.clock, Tables())


def test_a_request_is_due_within_a_month_of_its_receipt(
    desk: Desk, requests: RequestService
) -> None:
    kim = desk.add_driver()
    received_on = desk.clock.now().date() - timedelta(days=10)
    one = requests.add(kim, RequestKind.ACCESS, received_on)
    assert one.request.state is RequestState.RECEIVED
    assert one.days_left == (one.request.due_on - desk.clock.now().date()).days
    assert 17 <= one.days_left <= 21
    assert requests.all() == [one]
    assert not one.overdue


def test_the_most_urgent_request_comes_first_and_ended_ones_last(
    desk: Desk, requests: RequestService
) -> None:
    kim, today = desk.add_driver(), desk.clock.now().date()
    late = requests.add(kim, RequestKind.ERASURE, today - timedelta(days=40))
    new = requests.add(kim, RequestKind.ACCESS)
    gone = requests.add(kim, RequestKind.PORTABILITY, today - timedelta(days=50))
    requests.withdraw(gone.request.id)
    assert [one.request.id for one in requests.all()] == [
        late.request.id,
        new.request.id,
        gone.request.id,
    ]
    assert [one.overdue for one in requests.all()] == [True, False, False]
    assert [one.request.id for one in requests.all(open_only=True)] == [
        late.request.id,
        new.request.id,
    ]


def test_nothing_is_answered_before_it_is_known_who_asks(
    desk: Desk, requests: RequestService
) -> None:
    request = requests.add(desk.add_driver(), RequestKind.ACCESS).request.id
    with desk.refused("cannot be answered before it is known who asks"):
        requests.answer(request, "by letter")
    requests.identify(request, IdentityCheck.DOCUMENT)
    answered = requests.answer(request, "by letter")
    assert (answered.request.state, answered.days_left) == (RequestState.ANSWERED, None)
    assert answered.check is IdentityCheck.DOCUMENT
    with desk.refused("has ended: it was answered"):
        requests.refuse(request, "too late")


def test_a_request_is_extended_once_and_within_the_first_month(
    desk: Desk, requests: RequestService
) -> None:
    kim, today = desk.add_driver(), desk.clock.now().date()
    request = requests.add(kim, RequestKind.ACCESS).request
    extended = requests.extend(request.id, "many sites to ask").request
    assert (extended.due_on - request.due_on).days in range(58, 63)
    with desk.refused("cannot be extended"):
        requests.extend(request.id, "still many")
    late = requests.add(kim, RequestKind.ACCESS, today - timedelta(days=35)).request.id
    with desk.refused("cannot be extended"):
        requests.extend(late, "too late to ask")


def test_refusing_and_extending_need_a_reason(desk: Desk, requests: RequestService) -> None:
    request = requests.add(desk.add_driver(), RequestKind.ACCESS).request.id
    for move in (requests.refuse, requests.extend, requests.answer):
        with desk.refused("Say why"):
            move(request, "  ")


def test_what_cannot_be_is_refused(desk: Desk, requests: RequestService) -> None:
    kim, today = desk.add_driver(), desk.clock.now().date()
    with desk.refused("There is no driver D-NONE"):
        requests.add(DriverId("D-NONE"), RequestKind.ACCESS)
    with desk.refused("yet to come"):
        requests.add(kim, RequestKind.ACCESS, today + timedelta(days=1))
    with pytest.raises(UserError, match="no request 99"):
        requests.get(RequestId(99))


def test_the_log_tells_of_every_step_and_of_no_words(desk: Desk, requests: RequestService) -> None:
    request = requests.add(
        desk.add_driver(), RequestKind.ACCESS, check=IdentityCheck.CARD, note="Kim at the counter"
    ).request
    requests.refuse(request.id, "asked for the ninth time by Kim")
    said = [one for one in desk.audit() if one.object_type == "request"]
    assert [one.action for one in said] == [
        "request.received",
        "request.identified",
        "request.refused",
    ]
    assert "Kim" not in str(said)
    assert requests.get(request.id).request.events[-1].note == "asked for the ninth time by Kim"


def test_the_register_is_exported_without_notes(desk: Desk, requests: RequestService) -> None:
    requests.add(desk.add_driver(), RequestKind.ACCESS, note="blue coat")
    data, rows = requests.export(".csv")
    assert rows == 1
    assert b"days_left" in data
    assert b"blue coat" not in data
    assert desk.audit()[-1].action == "export.made"
