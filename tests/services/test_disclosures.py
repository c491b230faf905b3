"""Who was given what: entered by people, and told by the log."""

from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import open_with_key
from evdesk.documents.tables import Tables
from evdesk.domain.disclosures import RecipientKind
from evdesk.domain.personal_data import DataClass
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, Role
from evdesk.services.disclosures import FROM_LOG, DisclosureService, recipients
from tests.services.desk import Desk

CLASSES = (DataClass.INVOICE, DataClass.IDENTITY)


@pytest.fixture
def disclosures(desk: Desk) -> DisclosureService:
    return DisclosureService(desk.store, desk.clock, Tables())


def test_a_disclosure_says_who_got_what_when_and_why(
    desk: Desk, disclosures: DisclosureService
) -> None:
    kim, other = desk.add_driver(), desk.add_driver()
    at = desk.clock.now() - timedelta(days=3)
    kind = RecipientKind.TAX_ADVISER
    one = disclosures.add(kim, " Ledger  & Sons ", kind, CLASSES, "books of 2025", at)
    assert (one.recipient, one.reason, one.at) == ("Ledger & Sons", "books of 2025", at)
    assert disclosures.all(kim) == disclosures.all() == [one]
    assert disclosures.all(other) == []
    assert recipients(disclosures.all(kim)) == [one]
    assert "Ledger" not in str(desk.audit())


def test_what_cannot_be_is_refused(desk: Desk, disclosures: DisclosureService) -> None:
    kim, kind = desk.add_driver(), RecipientKind.COURT
    with desk.refused("Say who was given"):
        disclosures.add(kim, " ", kind, CLASSES, "a claim")
    with desk.refused("Say who was given"):
        disclosures.add(kim, "court", kind, (), "a claim")
    with desk.refused("Say why"):
        disclosures.add(kim, "court", kind, CLASSES, "")
    with desk.refused("entered once it was"):
        disclosures.add(kim, "court", kind, CLASSES, "x", desk.clock.now() + timedelta(days=1))


def test_what_an_auditor_was_shown_is_in_the_list(
    desk: Desk, disclosures: DisclosureService, folder: Path, new_site: tuple[Path, Secret]
) -> None:
    kim = desk.add_driver()
    auditor = open_with_key(folder, new_site[1], Actor("A-9", Role.AUDITOR)).services
    auditor.drivers.reveal(kim, "sample 3")
    auditor.store.close()
    (one,) = disclosures.all(kim)
    assert (one.id, one.kind, one.recipient) == (FROM_LOG, RecipientKind.AUDITOR, "A-9")
    assert one.reason == "sample 3"
    data, rows = disclosures.export(".json")
    assert rows == 1
    assert b"sample 3" in data
