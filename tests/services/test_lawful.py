"""What is shown of people: sessions to be billed for the contract, billed ones by consent."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.domain.consents import ConsentState, Decision, Switch
from evdesk.domain.errors import NoGround
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import BILLING, HISTORY, INVOICES, LOCATION, PurposeId
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import Actor, DriverId, Role
from evdesk.ports import KeyErasure, SessionFilter, Unit
from evdesk.services import lawful
from evdesk.services.lawful import Shown, may_process
from evdesk.services.sessions import SessionService
from tests.fakes.clock import START
from tests.services.desk import Desk
from tests.services.test_cards import NUMBER, visit
from tests.storage.sites import DONE

S = ConsentState
ALL = SessionFilter()


@pytest.fixture
def kim(desk: Desk) -> DriverId:
    """A driver with a billed session, 1, and one to be billed, 2."""
    kim = desk.ready_to_bill()
    desk.charge(kim)
    desk.billing.issue(desk.billing.draft(kim, "2026-03").invoice.id)
    desk.charge(kim, 5_000, START + timedelta(days=1))
    return kim


def shown(desk: Desk, wanted: SessionFilter = ALL) -> list[tuple[int, str | None, str]]:
    return [(one.id, one.driver, one.station) for one in reversed(desk.sessions.find(wanted))]


def exported(desk: Desk, wanted: SessionFilter = ALL) -> list[tuple[str, str | None, str | None]]:
    data, _ = desk.exports.sessions(".json", wanted)
    rows = json.loads(data)
    return [(row["id"], row["driver"], row["station"]) for row in rows]


def test_without_consent_a_billed_session_is_nobodys_and_one_to_be_billed_is_not(
    desk: Desk, kim: DriverId
) -> None:
    assert shown(desk) == [(1, None, "bay1"), (2, kim, "bay1")]
    assert shown(desk, SessionFilter(driver=kim)) == [(2, kim, "bay1")]
    assert exported(desk) == [("1", None, "bay1"), ("2", kim, "bay1")]
    detail = desk.sessions.detail(SessionId(1))
    assert (detail.session.driver, detail.driver) == (None, None)
    assert [one.driver for one in desk.live.sessions_today(START)] == [kim, None]


def test_with_consent_the_history_is_shown_and_with_another_where_it_was(
    desk: Desk, kim: DriverId
) -> None:
    desk.consent(kim, HISTORY)
    bay = desk.stations.find("bay1")
    assert shown(desk) == [(1, kim, ""), (2, kim, "bay1")]
    assert exported(desk, SessionFilter(driver=kim)) == [("1", kim, None), ("2", kim, "bay1")]
    assert shown(desk, SessionFilter(station=bay))[0] == (1, None, "bay1")
    assert shown(desk, SessionFilter(station=bay, driver=kim)) == [(2, kim, "bay1")]
    assert desk.live.sessions_today(START)[-1].driver is None
    detail = desk.sessions.detail(SessionId(1))
    assert (detail.driver is not None, detail.station.name, detail.meter.name) == (True, "", "")
    desk.consent(kim, LOCATION)
    assert shown(desk, SessionFilter(station=bay, driver=kim))[0] == (1, kim, "bay1")
    assert desk.sessions.detail(SessionId(1)).station.name == "bay1"


@pytest.mark.parametrize("state", [S.WITHDRAWN, S.REVOKED, S.INVALIDATED])
def test_from_the_instant_of_a_withdrawal_nothing_is_shown_or_exported(
    desk: Desk, kim: DriverId, state: ConsentState
) -> None:
    desk.consent(kim, HISTORY)
    desk.consent(kim, HISTORY, state)
    assert shown(desk)[0] == (1, None, "bay1")
    assert exported(desk, SessionFilter(driver=kim)) == [("2", kim, "bay1")]


def test_an_expired_consent_shows_nothing_before_anybody_wrote_it_down(
    desk: Desk, kim: DriverId
) -> None:
    desk.consent(kim, HISTORY)
    desk.clock.at = START.replace(year=2029)
    assert shown(desk)[0] == (1, None, "bay1")


def put(desk: Desk, kim: DriverId, what: str) -> None:
    with desk.store.write() as unit:
        if what == "restricted":
            unit.restraints.restrict(kim, Switch(START, on=True, author="A-1", reason="Art. 18"))
        elif what == "objects":
            on = Switch(START, on=True, author="A-1", reason="Art. 21")
            unit.restraints.object(kim, HISTORY, on)
        else:
            gone = KeyErasure(kim, DataClass.IDENTITY, START, "rights", for_good=True)
            unit.key_erasures.add(gone)
        unit.record_change(DONE)


@pytest.mark.parametrize(("what", "bills"), [("restricted", False), ("objects", True),
                                             ("erased", False)])  # fmt: skip
def test_what_stands_against_it_hides_a_person_consent_or_not(
    desk: Desk, kim: DriverId, what: str, bills: bool
) -> None:
    desk.consent(kim, HISTORY)
    desk.consent(kim, LOCATION)
    put(desk, kim, what)
    assert shown(desk) == [(1, None, "bay1"), (2, kim if bills else None, "bay1")]
    if bills:
        assert desk.billing.draft(kim, "2026-03").invoice.driver == kim
    else:
        with desk.refused("may not be used for 'billing'", NoGround):
            desk.billing.draft(kim, "2026-03")


def test_a_draft_is_not_issued_once_the_person_is_restricted(desk: Desk, kim: DriverId) -> None:
    draft = desk.billing.draft(kim, "2026-03").invoice
    put(desk, kim, "restricted")
    with desk.refused("restricted", NoGround):
        desk.billing.issue(draft.id)


def test_the_list_decides_as_the_single_question_does(desk: Desk) -> None:
    """Everybody in some state: one query a purpose gives what asking one by one gives."""
    desk.add_meter()
    drivers = [desk.add_driver() for _ in range(9)]
    wanted = [S.GIVEN, S.REFUSED, S.DEFERRED, S.REQUESTED, S.GIVEN, S.GIVEN, S.GIVEN, S.GIVEN]
    for driver, state in zip(drivers, wanted, strict=False):
        desk.consent(driver, HISTORY, state)
    desk.consent(drivers[4], HISTORY, S.WITHDRAWN)
    for driver, what in zip(drivers[5:], ("restricted", "objects", "erased"), strict=False):
        put(desk, driver, what)
    with desk.store.read() as unit:
        for purpose in (HISTORY, BILLING, INVOICES, PurposeId("no such")):
            agree = decisions(unit, drivers, purpose)
            single = [may_process(unit, one, purpose, START) for one in drivers]
            assert agree == single
            if purpose == HISTORY:
                assert [one.allowed for one in agree] == [True] + [False] * 8


def decisions(unit: Unit, drivers: list[DriverId], purpose: PurposeId) -> list[Decision]:
    view = Shown(unit, START)
    return [view.decision(one, purpose) for one in drivers]


def test_an_auditor_is_shown_no_more(desk: Desk, kim: DriverId) -> None:
    store = desk.store.acting_as(Actor("A-9", Role.AUDITOR))
    found = SessionService(store, desk.clock).find(ALL)
    assert [one.driver for one in found] == [kim, None]


@pytest.mark.parametrize(("what", "whose"), [("restricted", True), ("erased", False)])
def test_what_is_measured_is_stored_for_a_restricted_person_and_not_for_an_erased_one(
    desk: Desk, what: str, whose: bool
) -> None:
    desk.add_meter()
    kim, lee = desk.add_driver(), desk.add_driver()
    desk.stations.set_default_driver("bay1", lee, START)
    desk.cards.add(kim, NUMBER)
    for one in (kim, lee):
        put(desk, one, what)
    visit(desk, START + timedelta(minutes=1), NUMBER)
    with desk.store.read() as unit:
        (session,) = unit.sessions.find(ALL)
    assert session.driver == (kim if whose else None)


# -- every way -------------------------------------------------------------------------------------

# Use cases that look sessions or cars up by themselves, and show nobody whose they are.
SHOWS_NOBODY = {
    "access": "tells people what is held of themselves (Art. 15)",
    "billing": "bills sessions that are still to be billed, once it may",
    "erasure": "counts what stands against an erasure",
    "journaling": "collects, and asks by linked()",
    "reconciling": "counts Wh by meter",
    "stations": "asks whether a station was ever used",
}
LOOKS_UP = re.compile(r"sessions\.(find|get)\(|vehicles\.(get|by_vin)\(|existing_session\(")
ASKS = re.compile(r"\b(Shown|may_process|shown_session)\(")


def test_every_use_case_that_looks_people_up_asks_whether_it_may() -> None:
    folder = Path(lawful.__file__).parent
    texts = {path.stem: path.read_text("utf-8") for path in folder.glob("*.py")}
    looking = {name for name, text in texts.items() if LOOKS_UP.search(text)}
    asking = {name for name, text in texts.items() if ASKS.search(text)}
    assert {"sessions", "exporting", "live", "reviewing", "vehicles"} <= looking & asking
    assert looking - asking <= set(SHOWS_NOBODY)
    assert set(SHOWS_NOBODY) <= looking
    outside = [folder.parent / name for name in ("cli", "gui", "bootstrap", "documents")]
    direct = [
        path.name
        for place in outside
        for path in place.rglob("*.py")
        if re.search(r"unit\.(sessions|vehicles)\.", path.read_text("utf-8"))
    ]
    assert direct == []  # whoever shows something asks a use case
