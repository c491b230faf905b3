"""A person about whom a little of everything is held."""

from datetime import UTC, datetime
from decimal import Decimal

from evdesk.domain.personal_data import DataClass
from evdesk.domain.processing import DetailKind
from evdesk.domain.site import DriverId, Party
from evdesk.ports import Dossier, Holding, PackageFile
from evdesk.services.access import KINDS

AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ROWS = {
    "identity": (("pseudonym", "D-7KQ2M9XF"), ("name", "Kim Zoë Lindqvist"), ("created_at", AT)),
    "contact": (("email", "kim.zoe.lindqvist@example.org"),),
    "cards": (("…B90A", AT, None, LATER, "lost"),),
    "sessions": tuple(
        (str(n), "Bay 1 north", AT, LATER, 1_000 * n, 1_000 * n + 12_345, 12_345, 9_000, 7_200,
         "…B90A", "closed", "estimated_start" if n == 2 else None, "2026-00001" if n else None)
        for n in range(1, 30)
    ),
    "invoices": (
        ("2026-00001", "issued", LATER, AT, LATER, Decimal("5.90"), Decimal("1.12"),
         Decimal("7.02"), "EUR", datetime(2034, 12, 31, 23, tzinfo=UTC), "invoice-2026-00001.pdf"),
    ),
    "consents": (
        ("history", "given", AT, "paper", "1.0 en", LATER, "subject", "A-1", "ab" * 32),
        ("history", "withdrawn", LATER, "email", "1.0 en", None, "subject", "A-1", None),
    ),
    "requests": (
        ("1", "access", "2026-03-01", "2026-04-01", "received", AT, None, "A-1", "by letter"),
        ("1", "access", "2026-03-01", "2026-04-01", "identified", AT, "document", "A-1", None),
    ),
    "restraints": (("objection", "analytics", AT, "yes", "request 3"),),
    "disclosures": ((AT, "tax_adviser", "=Ledger & Sons", "invoice identity", "books", "A-1"),),
    "audit": ((17, AT, "A-1", "driver.added", "driver/D-7KQ2M9XF", "ok", None, '{"x":1}'),),
}  # fmt: skip


def dossier(language: str = "en", *, specimen: bool = False) -> Dossier:
    holdings = tuple(
        Holding(
            id=kind.id,
            data_class=kind.data_class,
            purpose="Billing",
            basis="Art. 6(1)(b) GDPR",
            source="you, and the charging points",
            recipients=("the bank", "the tax adviser"),
            kept="30 days from when you no longer charge here",
            until=LATER if kind.id == "requests" else None,
            columns=kind.columns,
            rows=ROWS.get(kind.id, ()),
            provided=kind.provided,
        )
        for kind in KINDS
    )
    assert {one.data_class for one in holdings} >= {DataClass.IDENTITY, DataClass.VIN}
    return Dossier(
        person=DriverId("D-7KQ2M9XF"),
        subject=Party("Kim Zoë Lindqvist"),
        language=language,
        controller=Party("Depot GmbH", "Hafenstr. 3", "89073", "Ulm", "DE", email="x@example.org"),
        site_name="Depot Nord",
        tz="Europe/Berlin",
        made_at=LATER,
        details=((DetailKind.AUTHORITY, "LfDI Baden-Württemberg"), (DetailKind.DPO, "Dr. Nein")),
        holdings=holdings,
        files=(PackageFile("invoice-2026-00001.pdf", b"%PDF-1.7 x"),),
        specimen=specimen,
        head="18:" + "ab" * 32,
    )
