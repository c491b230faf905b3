"""Access, portability, rectification, restriction and objection, on a real site."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import open_with_key
from evdesk.domain.consents import ConsentState, Method, Why
from evdesk.domain.disclosures import RecipientKind
from evdesk.domain.errors import NotPermitted
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import ANALYTICS, BILLING, OPERATION, VIN, PurposeId
from evdesk.domain.requests import IdentityCheck, RequestKind, RequestState
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, DriverId, Role
from evdesk.services.access import KINDS
from evdesk.services.lawful import may_process
from evdesk.services.recording import ConsentEntry, Scan
from evdesk.services.requests import Asked
from evdesk.services.vehicles import VehicleService
from tests.services.desk import Desk
from tests.services.rights import KNOWN, RightsDesk


@pytest.fixture
def room(desk: Desk) -> RightsDesk:
    return RightsDesk(desk)


def held(room: RightsDesk, name: str = "access.json") -> dict[str, list[dict[str, object]]]:
    return {one["what"]: one["rows"] for one in json.loads(room.shelf.files[name])["held"]}


def test_an_access_package_holds_everything_with_why_and_until_when(room: RightsDesk) -> None:
    kim = room.billed()
    room.disclosures.add(kim, "Ledger & Sons", RecipientKind.TAX_ADVISER, [DataClass.INVOICE], "x")
    handed = room.rights.access(kim, KNOWN, room.shelf.save)
    assert set(handed.files) == set(room.shelf.files)
    assert {"access.pdf", "access.json", "identity.csv", "sessions.csv"} <= set(handed.files)
    assert any(name.startswith("invoice-") for name in handed.files)
    found = held(room)
    assert set(found) == {kind.id for kind in KINDS}
    assert {"field": "name", "value": "Kim Lee"} in found["identity"]
    assert {"field": "email", "value": "kim@example.org"} in found["contact"]
    (session,) = found["sessions"]
    assert (session["start_wh"], session["end_wh"], session["energy_wh"]) == (1000, 13000, 12000)
    (invoice,) = found["invoices"]
    assert str(invoice["kept_until_at"]).startswith("2034-12-31T23")  # 8 years from the year's end
    assert found["cards"][0]["card"] == "…1B90"
    assert found["disclosures"][0]["recipient"] == "Ledger & Sons"
    assert "driver.added" in {row["action"] for row in found["audit"]}
    for one in json.loads(room.shelf.files["access.json"])["held"]:
        told = ("purpose", "legal_basis", "source", "recipients", "retention")
        assert [name for name in told if not one[name]] == [], one["what"]


def test_making_a_package_answers_the_request_and_the_log_says_so(room: RightsDesk) -> None:
    kim = room.billed()
    waiting = room.requests.add(kim, RequestKind.ACCESS).request
    handed = room.rights.access(kim, Asked(IdentityCheck.DOCUMENT), room.shelf.save)
    assert handed.request.request.id == waiting.id
    assert handed.request.request.state is RequestState.ANSWERED
    assert handed.request.check is IdentityCheck.DOCUMENT
    actions = [one.action for one in room.desk.audit()][-3:]
    assert actions == ["request.identified", "rights.access", "request.answered"]
    room.rights.access(kim, KNOWN, room.shelf.save)
    assert len(room.requests.all(kim)) == 2


def test_nobody_unknown_is_given_anything(room: RightsDesk) -> None:
    kim = room.billed()
    with room.desk.refused("Say how you know that it is"):
        room.rights.access(kim, Asked(), room.shelf.save)
    with room.desk.refused("There is no driver"):
        room.rights.access(DriverId("D-NONE"), KNOWN, room.shelf.save)
    assert room.shelf.files == {}


def test_a_package_that_cannot_be_kept_leaves_the_request_open(room: RightsDesk) -> None:
    kim = room.billed()

    def full(_files: object) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        room.rights.access(kim, KNOWN, full)
    (request,) = room.requests.all(kim)
    assert request.request.state is RequestState.IDENTIFIED
    assert "rights.access" not in {one.action for one in room.desk.audit()}


def test_what_is_portable_was_provided_or_caused(room: RightsDesk) -> None:
    kim = room.billed()
    room.rights.portability(kim, KNOWN, room.shelf.save)
    found = held(room, "portability.json")
    assert {"identity", "contact", "sessions"} <= set(found)
    assert not {"invoices", "audit", "requests", "consents"} & set(found)
    assert not any(name.endswith(".pdf") for name in room.shelf.files)


def test_a_car_is_portable_only_while_its_consent_stands(room: RightsDesk) -> None:
    kim, desk = room.billed(), room.desk
    desk.consent(kim, VIN)
    VehicleService(desk.store, desk.clock).set(kim, "1M8GDM9AXKP042788")
    room.rights.portability(kim, KNOWN, room.shelf.save)
    (car,) = held(room, "portability.json")["vehicle"]
    assert car["vin"] == "1M8GDM9AXKP042788"
    desk.clock.at += timedelta(days=1)
    desk.consent(kim, VIN, ConsentState.WITHDRAWN)
    room.rights.portability(kim, KNOWN, room.shelf.save)
    assert "vehicle" not in held(room, "portability.json")


def test_correcting_tells_who_was_given_the_wrong_data(room: RightsDesk) -> None:
    kim = room.billed()
    told = room.disclosures.add(
        kim, "Ledger & Sons", RecipientKind.TAX_ADVISER, [DataClass.IDENTITY], "books"
    )
    driver, done = room.rights.rectify(kim, {"city": "Potsdam"}, "en", KNOWN)
    assert (driver.party.city, driver.language) == ("Potsdam", "en")
    assert done.to_tell == (told,)
    assert done.request.request.kind is RequestKind.RECTIFICATION
    assert "Potsdam" not in str(room.desk.audit())
    with room.desk.refused("is known of"):
        room.rights.rectify(kim, {"city": "Potsdam"}, None, KNOWN)


def test_a_restriction_stops_everything_until_it_is_lifted(room: RightsDesk) -> None:
    kim, desk = room.billed(), room.desk
    done = room.rights.restrict(kim, "Kim disputes the address", KNOWN)
    assert done.request.request.events[0].note == "Kim disputes the address"
    with desk.store.read() as unit:
        assert may_process(unit, kim, BILLING, desk.clock.now()).why is Why.RESTRICTED
    assert room.rights.restrained(kim) == (True, ())
    with desk.refused("restricted already"):
        room.rights.restrict(kim, "again", KNOWN)
    room.rights.lift(kim, "the address is right")
    with desk.store.read() as unit:
        assert may_process(unit, kim, BILLING, desk.clock.now()).allowed
    with desk.refused("is not restricted"):
        room.rights.lift(kim, "again")
    assert "disputes" not in str(desk.audit())


def test_somebody_objects_to_what_rests_on_no_contract_or_law(room: RightsDesk) -> None:
    kim, desk = room.billed(), room.desk
    room.rights.object_to(kim, OPERATION, KNOWN)
    with desk.store.read() as unit:
        assert may_process(unit, kim, OPERATION, desk.clock.now()).why is Why.OBJECTED
    assert room.rights.restrained(kim) == (False, (OPERATION,))
    with desk.refused("rests on the contract"):
        room.rights.object_to(kim, BILLING, KNOWN)
    with desk.refused("no purpose"):
        room.rights.object_to(kim, PurposeId("nothing"), KNOWN)
    with desk.refused("objects to 'operation' already"):
        room.rights.object_to(kim, OPERATION, KNOWN)
    room.rights.end_objection(kim, OPERATION, "changed their mind")
    with desk.refused("does not object"):
        room.rights.end_objection(kim, ANALYTICS, "no")
    assert room.rights.restrained(kim) == (False, ())


def test_a_named_request_has_to_fit(room: RightsDesk) -> None:
    kim = room.billed()
    wrong = room.requests.add(kim, RequestKind.ERASURE).request.id
    with room.desk.refused("is no open request of"):
        room.rights.access(kim, Asked(IdentityCheck.KNOWN, request=wrong), room.shelf.save)


def test_scans_and_signatures_go_with_the_package(room: RightsDesk) -> None:
    kim, desk = room.billed(), room.desk
    scan = Scan("image/png", b"\x89PNG signature")
    given = ConsentEntry(kim, VIN, ConsentState.GIVEN, Method.SIGNATURE, evidence=scan)
    desk.consents.answer(given)
    handed = room.rights.access(kim, KNOWN, room.shelf.save)
    (name,) = [each for each in handed.files if each.startswith("evidence-vin-")]
    assert name.endswith(".png")
    assert room.shelf.files[name] == scan.content
    hashes = [row["evidence_sha256"] for row in held(room)["consents"]]
    assert hashlib.sha256(scan.content).hexdigest() in hashes


def test_an_auditor_reads_the_register_and_gets_no_package(
    room: RightsDesk, folder: Path, new_site: tuple[Path, Secret]
) -> None:
    kim = room.billed()
    room.requests.add(kim, RequestKind.ACCESS, note="blue coat")
    services = open_with_key(folder, new_site[1], Actor("A-9", Role.AUDITOR)).services
    (one,) = services.requests.all()
    assert (one.request.person, one.request.events[0].note) == (kim, "")
    assert services.ropa.record().rows
    for refused in (services.rights.access, services.rights.portability):
        with pytest.raises(NotPermitted):
            refused(kim, KNOWN, room.shelf.save)
    with pytest.raises(NotPermitted):
        services.erasures.plan(kim)
    services.store.close()
    assert room.shelf.files == {}
