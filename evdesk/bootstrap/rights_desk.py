"""The use cases of the rights of people, built on one store."""

from dataclasses import dataclass

from evdesk.documents.access_package import PackageDocuments
from evdesk.documents.ropa_pdf import RecordDocuments
from evdesk.documents.tables import Tables
from evdesk.ports import Clock, Store
from evdesk.services.breaches import BreachService
from evdesk.services.disclosures import DisclosureService
from evdesk.services.erasure import ErasureService
from evdesk.services.requests import RequestService
from evdesk.services.rights import RightsService, RightsSetting
from evdesk.services.ropa import RopaService
from evdesk.services.rule_book import RuleBook
from evdesk.settings import shipped
from evdesk.storage.processing_file import ShippedProcessing
from evdesk.storage.retention_file import shipped_rules


@dataclass(frozen=True, slots=True)
class RightsDesk:
    """What answers people about their data."""

    requests: RequestService
    rights: RightsService
    erasures: ErasureService
    disclosures: DisclosureService
    breaches: BreachService
    ropa: RopaService


def rights_desk(store: Store, clock: Clock) -> RightsDesk:
    """Return the use cases in the name of the store's actor."""
    resources, tables = shipped("resources"), Tables()
    rules = RuleBook(shipped_rules(resources / "privacy"))
    book = ShippedProcessing(resources)
    return RightsDesk(
        requests=RequestService(store, clock, tables),
        rights=RightsService(store, clock, RightsSetting(rules, book, PackageDocuments(resources))),
        erasures=ErasureService(store, clock, rules),
        disclosures=DisclosureService(store, clock, tables),
        breaches=BreachService(store, clock, tables),
        ropa=RopaService(store, clock, rules, book, (tables, RecordDocuments(resources))),
    )
