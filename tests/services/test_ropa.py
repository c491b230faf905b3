"""The record of processing: seven columns, from what the site is set to do."""

import csv
import io
import json

import pytest

from evdesk.documents.ropa_pdf import RecordDocuments
from evdesk.documents.tables import Tables
from evdesk.domain.mail import MailServer, Security
from evdesk.domain.processing import DetailKind
from evdesk.domain.purposes import VIN, PurposeSetting
from evdesk.services.ropa import COLUMNS, RopaService
from evdesk.settings import shipped
from evdesk.storage.processing_file import ShippedProcessing
from evdesk.storage.purpose_file import read_purposes
from tests.services.desk import ISSUER, Desk
from tests.services.rights import RightsDesk
from tests.storage.sites import DONE


@pytest.fixture
def ropa(desk: Desk) -> RopaService:
    room = RightsDesk(desk)
    writers = (Tables(), RecordDocuments(shipped("resources")))
    return RopaService(desk.store, desk.clock, room.rules, room.book, writers)


def test_every_purpose_that_ships_has_what_the_record_says_of_it() -> None:
    book = ShippedProcessing(shipped("resources"))
    for purpose in read_purposes(shipped("resources") / "privacy"):
        for language in ("en", "de", "fr"):
            said = book.of(purpose, language)
            assert all((said.subjects, said.source, said.recipients))
    assert len(book.measures("en")) == len(book.measures("de")) >= 5


def test_the_record_has_exactly_the_seven_columns_of_the_law(desk: Desk, ropa: RopaService) -> None:
    desk.billing.set_issuer(ISSUER)
    data, rows = ropa.export(".csv", "en")
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert tuple(lines[0]) == COLUMNS
    assert {len(line) for line in lines} == {7}
    assert len(lines) == rows + 1 == 11
    assert all(all(cell for cell in line) for line in lines)
    told = json.loads(ropa.export(".json", "en")[0])
    assert {tuple(one) for one in told} == {COLUMNS}
    assert ropa.export(".xlsx")[0].startswith(b"PK")
    assert ropa.export(".pdf")[0].startswith(b"%PDF")


def test_it_says_what_the_site_is_set_to_do(desk: Desk, ropa: RopaService) -> None:
    assert "evdesk issuer set" in ropa.record("en").rows[0][0]
    desk.billing.set_issuer(ISSUER)
    with desk.store.write() as unit:
        server = MailServer("mail.example.org", 465, Security.TLS, "x@example.org", "y@example.org")
        unit.outbox.set_server(server)
        unit.record_change(DONE)
    ropa.set_detail(DetailKind.DPO, "Dr. Nein, dpo@example.org")
    ropa.set_detail(DetailKind.TRANSFERS, "none but CH (adequacy)")
    rows = {row[1].partition(":")[0]: row for row in ropa.record("en").rows}
    billing, invoices = rows["Billing"], rows["Keeping invoices"]
    assert billing[0].startswith("Depot GmbH, Hafenstr. 3, 89073 Ulm, DE")
    assert "Data protection officer: Dr. Nein" in billing[0]
    assert "Art. 6(1)(b) GDPR" in billing[1]
    assert "name and address" in billing[2]
    assert "mail.example.org" in invoices[3]
    assert invoices[4] == "none but CH (adequacy)"
    assert "8 years from the end of the calendar year (invoices-de v1)" in invoices[5]
    assert "Argon2id" in billing[6]


def test_it_speaks_the_language_of_the_site(ropa: RopaService) -> None:
    assert "Abrechnung" in ropa.record().rows[0][1]
    assert "Ende des Kalenderjahres" in str(ropa.record().rows)


def test_a_purpose_that_is_switched_off_is_not_in_it(desk: Desk, ropa: RopaService) -> None:
    before = len(ropa.record().rows)
    with desk.store.write() as unit:
        unit.purposes.add(PurposeSetting(VIN, False, 24, 14, desk.clock.now(), "A-1"))
        unit.record_change(DONE)
    assert len(ropa.record().rows) == before - 1


def test_what_an_owner_says_can_be_taken_away(desk: Desk, ropa: RopaService) -> None:
    ropa.set_detail(DetailKind.MEASURES, "two  locks")
    assert ropa.details()[DetailKind.MEASURES].text == "two locks"
    with desk.refused("is said already"):
        ropa.set_detail(DetailKind.MEASURES, "two locks")
    ropa.set_detail(DetailKind.MEASURES, "")
    assert ropa.details() == {}
    with desk.refused("too long"):
        ropa.set_detail(DetailKind.MEASURES, "x" * 3000)
