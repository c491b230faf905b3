"""Everything that is held of a person, kind by kind, with why, from where, for whom and how long.

Each kind is one function that reads rows; what is told beside them comes from the purpose that the
data is for and from the rule of retention in force.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from evdesk.domain.errors import UserError
from evdesk.domain.instants import rfc3339
from evdesk.domain.invoices import Invoice, InvoiceState
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import BILLING, INVOICES, OPERATION, RIGHTS, VIN, PurposeId
from evdesk.domain.requests import RequestKind
from evdesk.domain.retention import AUDIT, HoldKind, Rule
from evdesk.domain.sessions import Session
from evdesk.domain.site import Driver, DriverId
from evdesk.ports import (
    AuditFilter,
    Cell,
    Dossier,
    Holding,
    PackageFile,
    ProcessingBook,
    SessionFilter,
    Unit,
)
from evdesk.services.disclosures import disclosures_of
from evdesk.services.drivers import existing_driver

MOST_LETTERS = 1_000_000
MS_PER_S = 1000
SUFFIXES = {
    "application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg",
    "text/plain": "txt", "application/json": "json",
}  # fmt: skip
IDENTITY_FIELDS = ("name", "street", "postcode", "city", "country", "vat_id", "tax_number")
CONTACT_FIELDS = ("contact", "email", "phone")

Rows = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class View:
    """One person in one view of the site."""

    unit: Unit
    driver: Driver
    rules: Mapping[str, Rule]
    tz: str
    now: datetime

    @property
    def person(self) -> DriverId:
        """Return who it is about."""
        return self.driver.id

    def invoices(self) -> list[Invoice]:
        """Return the person's invoices and drafts, oldest first."""
        return [one for one in reversed(self.unit.invoices.all()) if one.driver == self.person]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of what may be held; ``read`` gives its rows and when they go, if that is known."""

    id: str
    rule: str  # the class whose rule of retention holds
    data_class: DataClass | None
    purpose: PurposeId
    columns: tuple[str, ...]
    read: Callable[[View], tuple[Rows, datetime | None]]
    provided: bool


def dossier(
    unit: Unit, person: DriverId, rules: list[Rule], book: ProcessingBook, now: datetime
) -> Dossier:
    """Return everything that is held of a person, in the person's language.

    Raises:
        UserError: no such driver.

    """
    site, driver = unit.site.load(), existing_driver(unit, person)
    view = View(unit, driver, {one.data_class: one for one in rules}, site.tz, now)
    return Dossier(
        person=person,
        subject=driver.party,
        language=driver.language,
        controller=unit.site.issuer(),
        site_name=site.name,
        tz=site.tz,
        made_at=now,
        details=tuple((kind, detail.text) for kind, detail in unit.details.newest().items()),
        holdings=tuple(_holding(view, kind, book) for kind in KINDS),
        files=(*_documents(view), *_evidence(view)),
        specimen=site.demo,
        head=str(unit.audit.head()),
    )


def _holding(view: View, kind: Kind, book: ProcessingBook) -> Holding:
    language = view.driver.language
    purpose = view.unit.purposes.get(kind.purpose)
    if purpose is None:
        raise UserError("There is no purpose '{purpose}'.", purpose=kind.purpose)
    said, rule = book.of(kind.purpose, language), view.rules.get(kind.rule)
    rows, until = kind.read(view)
    return Holding(
        id=kind.id,
        data_class=kind.data_class,
        purpose=purpose.text(language).name,
        basis=purpose.legal,
        source=said.source,
        recipients=said.recipients,
        kept="" if rule is None else kept_for(rule, book, language),
        until=until,
        columns=kind.columns,
        rows=rows,
        provided=kind.provided,
    )


def kept_for(rule: Rule, book: ProcessingBook, language: str) -> str:
    """Return a rule's period and trigger in words."""
    period = book.word(f"period_{rule.period.unit}", language).format(count=rule.period.count)
    trigger = book.word(f"trigger_{rule.trigger.value}", language)
    return book.word("kept_rule", language).format(period=period, trigger=trigger)


# -- the kinds -------------------------------------------------------------------------------------


def _identity(view: View) -> tuple[Rows, datetime | None]:
    driver, party = view.driver, view.driver.party
    fields: list[tuple[str, Cell]] = [("pseudonym", driver.id)]
    fields += [(name, getattr(party, name)) for name in IDENTITY_FIELDS if getattr(party, name)]
    fields += [("language", driver.language), ("created_at", driver.created_at)]
    if driver.retired_at is not None:
        fields.append(("retired_at", driver.retired_at))
    return tuple(fields), _after_relation(view, DataClass.IDENTITY)


def _contact(view: View) -> tuple[Rows, datetime | None]:
    party = view.driver.party
    rows = tuple((name, getattr(party, name)) for name in CONTACT_FIELDS if getattr(party, name))
    return rows, _after_relation(view, DataClass.CONTACT)


def _payment(view: View) -> tuple[Rows, datetime | None]:
    iban = view.driver.party.iban
    return ((("iban", iban),) if iban else ()), _after_relation(view, DataClass.PAYMENT)


def _cards(view: View) -> tuple[Rows, datetime | None]:
    rows = tuple(
        (
            *(one.tag.shown, one.from_at, one.to_at, one.ended_at),
            None if one.end is None else one.end.value,
        )
        for one in view.unit.cards.all()
        if one.driver == view.person
    )
    return rows, None


def _stations(view: View) -> tuple[Rows, datetime | None]:
    stations = view.unit.stations
    mine = [
        one.name
        for one in stations.all(retired=True)
        if stations.default_driver(one.id, view.now) == view.person
    ]
    return tuple((name,) for name in mine), None


def _sessions(view: View) -> tuple[Rows, datetime | None]:
    found = view.unit.sessions.find(SessionFilter(driver=view.person))
    numbers = {str(one.id): one.number or one.id for one in view.invoices()}
    return tuple(_session(one, numbers) for one in reversed(found)), None


def _session(one: Session, numbers: Mapping[str, str]) -> tuple[Cell, ...]:
    figures, claim = one.figures, one.claim()
    return (
        *(str(one.id), one.station, figures.plugged_in_at, figures.unplugged_at),
        *(claim.start_wh, claim.end_wh, claim.energy_wh, figures.charging_ms // MS_PER_S),
        None if figures.peak_w is None else round(figures.peak_w),
        *(None if figures.tag is None else figures.tag.shown, one.state.value),
        " ".join(sorted(figures.flags)) or None,
        None if one.invoice is None else numbers.get(one.invoice, one.invoice),
    )


def _invoices(view: View) -> tuple[Rows, datetime | None]:
    rule = view.rules.get(DataClass.INVOICE)
    rows: list[tuple[Cell, ...]] = []
    untils: list[datetime] = []
    for one in view.invoices():
        until = None
        if rule is not None and one.issued_at is not None:
            until = rule.due_at(one.issued_at, view.tz)
        untils += [until] if until is not None else []
        rows.append(
            (
                *(one.number or one.id, one.state.value, one.issued_at),
                *(one.period_from, one.period_to),
                *(one.totals.net.amount, one.totals.vat.amount, one.totals.gross.amount),
                *(one.currency, until, document_name(one)),
            )
        )
    return tuple(rows), max(untils, default=None)


def _vehicle(view: View) -> tuple[Rows, datetime | None]:
    found = view.unit.vehicles.get(view.person)
    if found is None:
        return (), None
    return ((None if found.vin is None else found.vin.number, found.set_at),), None


def _consents(view: View) -> tuple[Rows, datetime | None]:
    rows = tuple(
        (
            *(one.purpose, one.word, one.at, one.method.value),
            None if one.notice_version is None else f"{one.notice_version} {one.notice_language}",
            *(one.valid_until, one.entity_role.value, one.witness),
            None if one.evidence_sha256 is None else one.evidence_sha256.hex(),
        )
        for one in view.unit.consents.find(view.person)
    )
    return rows, None


def _restraints(view: View) -> tuple[Rows, datetime | None]:
    unit, person = view.unit, view.person
    rows: list[tuple[Cell, ...]] = [
        (RequestKind.RESTRICTION.value, None, one.at, "yes" if one.on else "no", one.reason)
        for one in unit.restraints.restrictions(person)
    ]
    for purpose in unit.purposes.all():
        rows += [
            (RequestKind.OBJECTION.value, purpose.id, one.at, "yes" if one.on else "no", one.reason)
            for one in unit.restraints.objections(person, purpose.id)
        ]
    rows += [
        ("legal_hold", None, one.since_at, "no" if one.released_at else "yes", one.reason)
        for one in unit.retention.holds()
        if one.kind is HoldKind.PERSON and one.object == person
    ]
    return tuple(rows), None


def _requests(view: View) -> tuple[Rows, datetime | None]:
    found = view.unit.requests.find(view.person)
    rows = tuple(
        (
            *(str(one.id), one.kind.value, one.received_on.isoformat(), one.due_on.isoformat()),
            *(event.state.value, event.at, None if event.check is None else event.check.value),
            *(event.author, event.note or None),
        )
        for one in found
        for event in one.events
    )
    rule = view.rules.get(DataClass.REQUEST)
    if rule is None or not found or any(one.is_open for one in found):
        return rows, None
    return rows, rule.due_at(max(one.events[-1].at for one in found), view.tz)


def _disclosures(view: View) -> tuple[Rows, datetime | None]:
    rows = tuple(
        (one.at, one.kind.value, one.recipient, " ".join(one.classes), one.reason, one.author)
        for one in disclosures_of(view.unit, view.person)
    )
    return rows, None


def _mail(view: View) -> tuple[Rows, datetime | None]:
    address = view.driver.party.email
    rows = tuple(
        (one.created_at, one.letter.kind, one.letter.subject, one.state.value)
        for one in reversed(view.unit.outbox.newest(MOST_LETTERS))
        if address and one.letter.recipient == address
    )
    return rows, None


def _audit(view: View) -> tuple[Rows, datetime | None]:
    """Read the entries about the person, and about their requests, cards and invoices."""
    unit, person = view.unit, view.person
    about = [f"driver/{person}"]
    about += [f"request/{one.id}" for one in unit.requests.find(person)]
    about += [f"card/{one.id}" for one in unit.cards.all() if one.driver == person]
    about += [f"invoice/{one.id}" for one in view.invoices()]
    sessions = unit.sessions.find(SessionFilter(driver=person))
    about += [f"session/{one.id}" for one in sessions]
    found = {one.seq: one for each in about for one in unit.audit.find(AuditFilter(about=each))}
    rows = tuple(
        (
            *(one.seq, one.at, one.actor, one.action, f"{one.object_type}/{one.object_ref}"),
            *(one.outcome.value, one.reason, one.facts),
        )
        for _, one in sorted(found.items())
    )
    rule = view.rules.get(AUDIT)
    if rule is None or not found:
        return rows, None
    return rows, rule.due_at(max(one.at for one in found.values()), view.tz)


def _after_relation(view: View, data_class: DataClass) -> datetime | None:
    """Return when what is kept for a person goes, once they no longer charge here."""
    rule, ended_at = view.rules.get(data_class), view.driver.retired_at
    if rule is None or ended_at is None:
        return None
    billed = [one.issued_at for one in view.invoices() if one.issued_at is not None]
    return rule.due_at(max([ended_at, *billed]), view.tz)


SESSION_COLUMNS = (
    "id", "station", "plugged_in_at", "unplugged_at", "start_wh", "end_wh", "energy_wh",
    "charging_s", "peak_w", "card", "state", "flags", "invoice",
)  # fmt: skip
INVOICE_COLUMNS = (
    "number", "state", "issued_at", "period_from_at", "period_to_at", "net", "vat", "gross",
    "currency", "kept_until_at", "file",
)  # fmt: skip
CONSENT_COLUMNS = (
    "purpose", "event", "at", "method", "notice_version", "valid_until_at", "entity_role",
    "witness", "evidence_sha256",
)  # fmt: skip
REQUEST_COLUMNS = (
    "id", "kind", "received_on", "due_on", "state", "at", "check", "author", "note",
)  # fmt: skip
AUDIT_COLUMNS = ("seq", "at", "actor", "action", "object", "outcome", "reason", "facts")
FIELD = ("field", "value")
IS, CLS = True, DataClass
KINDS = (
    Kind("identity", CLS.IDENTITY, CLS.IDENTITY, BILLING, FIELD, _identity, IS),
    Kind("contact", CLS.CONTACT, CLS.CONTACT, BILLING, FIELD, _contact, IS),
    Kind("payment", CLS.PAYMENT, CLS.PAYMENT, BILLING, FIELD, _payment, IS),
    Kind("cards", CLS.CARD, CLS.CARD, BILLING,
         ("card", "from_at", "to_at", "ended_at", "cause"), _cards, IS),
    Kind("stations", CLS.SESSION_LINK, CLS.SESSION_LINK, BILLING, ("station",), _stations, not IS),
    Kind("sessions", CLS.SESSION_LINK, CLS.SESSION_LINK, BILLING, SESSION_COLUMNS, _sessions, IS),
    Kind("invoices", CLS.INVOICE, CLS.INVOICE, INVOICES, INVOICE_COLUMNS, _invoices, not IS),
    Kind("vehicle", CLS.VIN, CLS.VIN, VIN, ("vin", "set_at"), _vehicle, IS),
    Kind("consents", CLS.CONSENT, CLS.CONSENT, RIGHTS, CONSENT_COLUMNS, _consents, not IS),
    Kind("restraints", CLS.REQUEST, CLS.REQUEST, RIGHTS,
         ("kind", "purpose", "at", "on", "reason"), _restraints, not IS),
    Kind("requests", CLS.REQUEST, CLS.REQUEST, RIGHTS, REQUEST_COLUMNS, _requests, not IS),
    Kind("disclosures", CLS.REQUEST, CLS.REQUEST, RIGHTS,
         ("at", "recipient_kind", "recipient", "classes", "reason", "author"),
         _disclosures, not IS),
    Kind("mail", CLS.MAIL, CLS.MAIL, INVOICES, ("created_at", "kind", "subject", "state"),
         _mail, not IS),
    Kind("audit", AUDIT, None, OPERATION, AUDIT_COLUMNS, _audit, not IS),
)  # fmt: skip


# -- files beside the tables -----------------------------------------------------------------------


def document_name(invoice: Invoice) -> str | None:
    """Return how the document of an issued invoice is called in a package; drafts have none."""
    if invoice.state is InvoiceState.DRAFT:
        return None
    return f"invoice-{invoice.number or invoice.id}.pdf".replace("/", "-")


def _documents(view: View) -> list[PackageFile]:
    files = []
    for one in view.invoices():
        name, pdf = document_name(one), view.unit.invoices.pdf(one.id)
        if name is not None and pdf is not None:
            files.append(PackageFile(name, pdf))
    return files


def _evidence(view: View) -> list[PackageFile]:
    """Return scans and signatures, named by the instant of their event."""
    files = []
    for one in view.unit.consents.find(view.person):
        found = None if one.evidence is None else view.unit.consents.evidence(one.evidence)
        if found is None or found.content is None:
            continue
        suffix = SUFFIXES.get(found.media_type, "bin")
        at = rfc3339(one.at).replace(":", "")
        files.append(PackageFile(f"evidence-{one.purpose}-{at}-{one.seq}.{suffix}", found.content))
    return files
