"""The rights desk of a real site."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from evdesk.documents.access_package import PackageDocuments
from evdesk.documents.tables import Tables
from evdesk.domain.requests import IdentityCheck
from evdesk.domain.site import DriverId
from evdesk.ports import PackageFile
from evdesk.services.disclosures import DisclosureService
from evdesk.services.erasure import ErasureService
from evdesk.services.requests import Asked, RequestService
from evdesk.services.rights import RightsService, RightsSetting
from evdesk.services.rule_book import RuleBook
from evdesk.settings import shipped
from evdesk.storage.processing_file import ShippedProcessing
from evdesk.storage.retention_file import shipped_rules
from tests.services.desk import Desk

KNOWN = Asked(IdentityCheck.KNOWN)


@dataclass
class Shelf:
    """Keeps the files of a package."""

    files: dict[str, bytes] = field(default_factory=dict)

    def save(self, files: Sequence[PackageFile]) -> None:
        self.files = {one.name: one.content for one in files}


class RightsDesk:
    """The services of rights over a desk."""

    def __init__(self, desk: Desk) -> None:
        resources = shipped("resources")
        self.book = ShippedProcessing(resources)
        self.rules = RuleBook(shipped_rules(resources / "privacy"))
        setting = RightsSetting(self.rules, self.book, PackageDocuments(resources))
        self.desk, self.shelf = desk, Shelf()
        self.rights = RightsService(desk.store, desk.clock, setting)
        self.erasures = ErasureService(desk.store, desk.clock, self.rules)
        self.requests = RequestService(desk.store, desk.clock, Tables())
        self.disclosures = DisclosureService(desk.store, desk.clock, Tables())

    def billed(self) -> DriverId:
        """Return a driver with a card, a billed session and one that is not billed."""
        desk = self.desk
        kim = desk.ready_to_bill()
        desk.cards.add(kim, "04:A2:6F:1B:90")
        desk.charge(kim)
        draft = desk.billing.draft(kim, f"{desk.clock.now():%Y-%m}").invoice
        desk.billing.issue(draft.id)
        return kim

    def charge_once_more(self, kim: DriverId) -> None:
        self.desk.charge(kim, 5_000, self.desk.clock.now() - timedelta(hours=9))
