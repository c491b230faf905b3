"""Invoices: drafted from a driver's sessions, issued once with a number, then frozen."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from evdesk.domain.audit import Change
from evdesk.domain.corrections import Claim
from evdesk.domain.errors import NothingFound, UserError
from evdesk.domain.instants import month_bounds
from evdesk.domain.invoices import (
    BilledSession,
    Invoice,
    InvoiceId,
    InvoiceState,
    Line,
    price_session,
    total,
)
from evdesk.domain.meters import Meter, Station, StationId
from evdesk.domain.permissions import Action
from evdesk.domain.purposes import BILLING
from evdesk.domain.readings import MeterId, Register
from evdesk.domain.sessions import Session, SessionState
from evdesk.domain.site import Driver, DriverId, Party
from evdesk.domain.tariffs import Assignment, Tariff, TariffId, choose
from evdesk.ports import (
    Clock,
    Devices,
    InvoiceRenderer,
    ProfileInfo,
    Pseudonyms,
    SessionFilter,
    Store,
    Unit,
)
from evdesk.services.drivers import existing_driver
from evdesk.services.lawful import may_process, refuse
from evdesk.services.permitting import REVEALED, given, permit

MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft, with how many sessions of the month were left out and why."""

    invoice: Invoice
    in_review: int
    still_open: int


@dataclass(frozen=True, slots=True)
class _Books:
    """What pricing looks up, read once per draft."""

    stations: dict[StationId, Station]
    meters: dict[MeterId, Meter]
    tariffs: dict[TariffId, Tariff]
    assignments: list[Assignment]


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A draft, and the invoice it would be with the next number."""

    draft: Invoice
    invoice: Invoice
    series: str
    serial: int


class BillingService:
    """Use cases of invoices; sessions belong to the month in which the car was plugged in."""

    def __init__(
        self,
        store: Store,
        devices: Devices,
        clock: Clock,
        renderer: InvoiceRenderer,
        pseudonyms: Pseudonyms,
    ) -> None:
        self._store, self._devices, self._clock = store, devices, clock
        self._renderer, self._pseudonyms = renderer, pseudonyms

    # -- who bills ------------------------------------------------------------------------------

    @permit(Action.LOOK)
    def issuer(self) -> Party | None:
        """Return who bills, or None while nobody is set."""
        with self._store.read() as unit:
            return unit.site.issuer()

    @permit(Action.CHANGE_SETTINGS)
    def set_issuer(self, issuer: Party) -> None:
        """Replace who bills; issued invoices keep whom they name."""
        issuer = replace(issuer, name=issuer.name.strip())
        if not issuer.name:
            raise UserError("The issuer needs a name.")
        with self._store.write() as unit:
            unit.site.set_issuer(issuer)
            unit.record_change(Change("issuer.changed", "site", unit.site.load().id, {}))

    # -- drafts ---------------------------------------------------------------------------------

    @permit(Action.BILL)
    def draft(self, driver_id: DriverId, month: str) -> Drafted:
        """Make a draft of a driver's unbilled sessions of a ``YYYY-MM`` month.

        Raises:
            NothingFound: there is no closed, unbilled session.
            UserError: unknown driver, not a month, a session without a tariff, no issuer.

        Sessions in review or still open are left out, and counted.

        """
        with self._store.write() as unit:
            site = unit.site.load()
            driver = existing_driver(unit, driver_id)
            now = self._clock.now()
            refuse(driver_id, BILLING, may_process(unit, driver_id, BILLING, now))
            from_at, to_at = _month(month, site.tz)
            found = unit.sessions.find(
                SessionFilter(from_at=from_at, to_at=to_at, driver=driver_id, unbilled=True)
            )
            states = [session.state for session in found]
            in_review, still_open = (
                states.count(s) for s in (SessionState.REVIEW, SessionState.OPEN)
            )
            closed = [session for session in found if session.state is SessionState.CLOSED]
            if not closed:
                raise NothingFound(
                    "{driver} has no closed session in {month} that is not billed yet ({review} in "
                    "review, {open} still plugged in).",
                    driver=driver_id,
                    month=month,
                    review=in_review,
                    open=still_open,
                )
            invoice = self._compose(unit, driver, closed, (from_at, to_at))
            if not invoice.lines:
                raise NothingFound(
                    "The {count} session(s) of {driver} in {month} cost nothing, so there is "
                    "nothing to bill.",
                    count=len(closed),
                    driver=driver_id,
                    month=month,
                )
            unit.invoices.save_draft(invoice)
            facts = {"driver": driver_id, "month": month, "sessions": len(closed)}
            unit.record_change(Change("invoice.drafted", "invoice", invoice.id, facts))
            return Drafted(invoice, in_review, still_open)

    @permit(Action.BILL)
    def drop(self, invoice_id: InvoiceId) -> None:
        """Throw a draft away; its sessions can be billed again."""
        with self._store.write() as unit:
            invoice = _existing(unit, invoice_id)
            if invoice.state is not InvoiceState.DRAFT:
                raise UserError("Invoice {number} is issued and stays.", number=invoice.number)
            unit.invoices.drop_draft(invoice.id)
            unit.record_change(Change("invoice.dropped", "invoice", invoice.id, {}))

    def _compose(
        self, unit: Unit, driver: Driver, closed: list[Session], period: tuple[datetime, datetime]
    ) -> Invoice:
        site, seller = unit.site.load(), unit.site.issuer()
        if seller is None:
            raise UserError("Nobody is set as the issuer. Set who bills first: evdesk issuer set")
        books = _Books(
            stations={station.id: station for station in unit.stations.all(retired=True)},
            meters={meter.id: meter for meter in unit.meters.all(removed=True)},
            tariffs={tariff.id: tariff for tariff in unit.tariffs.all()},
            assignments=unit.tariffs.assignments(),
        )
        ordered = sorted(closed, key=lambda session: session.figures.plugged_in_at)
        priced = [self._price(session, books, site.currency) for session in ordered]
        lines = tuple(line for _, parts in priced for line in parts)
        return Invoice(
            id=InvoiceId(self._pseudonyms.make("I")),
            state=InvoiceState.DRAFT,
            number=None,
            driver=driver.id,
            seller=seller,
            buyer=driver.party,
            tz=site.tz,
            language=driver.language,
            currency=site.currency,
            period_from=period[0],
            period_to=period[1],
            created_at=self._clock.now(),
            issued_at=None,
            specimen=site.demo,
            sessions=tuple(billed for billed, _ in priced),
            lines=lines,
            totals=total(lines, site.currency),
        )

    def _price(
        self, session: Session, books: _Books, currency: str
    ) -> tuple[BilledSession, tuple[Line, ...]]:
        at = session.figures.plugged_in_at
        tariff_id = choose(books.assignments, session.station_id, session.driver, at)
        if tariff_id is None:
            raise UserError(
                "No tariff held at station {station} when session {session} began. Assign one "
                "from an earlier date on: evdesk tariff assign",
                station=session.station,
                session=session.id,
            )
        tariff = books.tariffs[tariff_id]
        meter = books.meters[books.stations[session.station_id].energy.meter_id]
        billed = _billed(session, meter, self._devices.profile(meter.profile), tariff)
        return billed, price_session(session.id, billed.energy_wh, tariff.components, currency)

    # -- issuing --------------------------------------------------------------------------------

    @permit(Action.BILL)
    def issue(self, invoice_id: InvoiceId) -> Invoice:
        """Give a draft its number and freeze it with its document, all in one transaction.

        The document is set before, with the number that comes next: setting a long invoice takes
        longer than others may be kept waiting. Who loses the number to somebody else who issues at
        the same moment sets it again.

        Raises:
            UserError: not a draft, or what it says is no longer so.

        """
        while True:
            numbered = self._numbered(invoice_id)
            pdf = self._renderer.pdf(numbered.invoice)
            if self._freeze(numbered, pdf):
                return numbered.invoice

    def _numbered(self, invoice_id: InvoiceId) -> _Numbered:
        """Return the invoice as it would be issued now."""
        with self._store.read() as unit:
            draft = _existing(unit, invoice_id)
            if draft.state is not InvoiceState.DRAFT:
                raise UserError("Invoice {number} is issued already.", number=draft.number)
            at = self._clock.now()
            series = _series(draft, at)
            serial, head = unit.invoices.next_number(series), str(unit.audit.head())
        number = f"{series}-{serial:05d}"
        invoice = replace(
            draft, state=InvoiceState.ISSUED, number=number, issued_at=at, audit_head=head
        )
        return _Numbered(draft, invoice, series, serial)

    def _freeze(self, numbered: _Numbered, pdf: bytes) -> bool:
        """Issue it, unless its number is taken; return whether it is issued."""
        invoice, series, serial = numbered.invoice, numbered.series, numbered.serial
        with self._store.write() as unit:
            current = _existing(unit, invoice.id)
            if current.state is not InvoiceState.DRAFT:
                raise UserError("Invoice {number} is issued already.", number=current.number)
            self._check_unchanged(unit, numbered.draft)
            if unit.invoices.next_number(series) != serial:
                return False
            unit.invoices.issue(invoice, series, serial, pdf)
            facts = {"number": invoice.number, "gross": invoice.totals.gross.minor()}
            unit.record_change(Change("invoice.issued", "invoice", invoice.id, facts))
            return True

    def _check_unchanged(self, unit: Unit, draft: Invoice) -> None:
        """Refuse a draft that would be another one if it were made now."""
        sessions = [_unchanged(unit, billed, draft) for billed in draft.sessions]
        driver, at = existing_driver(unit, draft.driver), self._clock.now()
        refuse(driver.id, BILLING, may_process(unit, driver.id, BILLING, at))
        now = self._compose(unit, driver, sessions, (draft.period_from, draft.period_to))
        if replace(now, id=draft.id, created_at=draft.created_at) != draft:
            raise UserError(
                "The issuer, the driver, a tariff or a station changed since draft {draft} was "
                "made. Nothing was issued: drop the draft and make a new one.",
                draft=draft.id,
            )

    # -- looking --------------------------------------------------------------------------------

    @permit(Action.LOOK)
    def all(self) -> list[Invoice]:
        """Return drafts and issued invoices, newest first."""
        with self._store.read() as unit:
            return unit.invoices.all()

    @permit(Action.LOOK)
    def get(self, invoice_id: InvoiceId) -> Invoice:
        """Return an invoice by id or number."""
        with self._store.read() as unit:
            return _existing(unit, invoice_id)

    @permit(Action.SEE_PERSONS)
    def document(self, invoice_id: InvoiceId) -> bytes:
        """Return the PDF: of an issued invoice byte for byte as issued, of a draft marked so."""
        with self._store.read() as unit:
            invoice = _existing(unit, invoice_id)
            frozen = unit.invoices.pdf(invoice.id)
        return self._renderer.pdf(invoice) if frozen is None else frozen

    @permit(Action.REVEAL_PERSONS)
    def reveal_document(self, invoice_id: InvoiceId, reason: str) -> bytes:
        """Return the PDF of an issued invoice to who sees pseudonyms otherwise; the log says why.

        Raises:
            UserError: no reason, no such invoice, or it is still a draft.

        """
        with self._store.write() as unit:
            invoice = _existing(unit, invoice_id)
            frozen = unit.invoices.pdf(invoice.id)
            if frozen is None:
                raise UserError(
                    "{invoice} is a draft, and only issued invoices are shown.", invoice=invoice_id
                )
            facts = {"driver": invoice.driver}
            unit.record_change(Change(REVEALED, "invoice", invoice.id, facts, given(reason)))
        return frozen


def _existing(unit: Unit, invoice_id: InvoiceId) -> Invoice:
    invoice = unit.invoices.get(invoice_id)
    if invoice is None:
        raise UserError(
            "There is no invoice {invoice}. List them with: evdesk invoice list", invoice=invoice_id
        )
    return invoice


def _billed(session: Session, meter: Meter, profile: ProfileInfo, tariff: Tariff) -> BilledSession:
    figures, claim = session.figures, session.claim()
    start_wh, end_wh, energy_wh = claim.start_wh, claim.end_wh, claim.energy_wh
    if start_wh is None or end_wh is None or energy_wh is None or not figures.unplugged_at:
        raise UserError(
            "Session {session} has no two registers to bill. Correct it first: evdesk session "
            "correct --help",
            session=session.id,
        )
    correction = session.correction
    return BilledSession(
        id=session.id,
        station=session.station,
        meter=meter.name,
        meter_model=f"{profile.manufacturer} {profile.model}",
        meter_serial=meter.serial or "",
        plugged_in_at=figures.plugged_in_at,
        unplugged_at=figures.unplugged_at,
        start_wh=start_wh,
        end_wh=end_wh,
        energy_wh=energy_wh,
        start_raw=_raw(figures.start, start_wh),
        end_raw=_raw(figures.end, end_wh),
        charging_s=figures.charging_ms // MS_PER_S,
        tariff=tariff.id,
        tariff_ocpi=tariff.ocpi,
        corrected_at=None if correction is None else correction.at,
        measured_wh=None if correction is None else figures.energy_wh,
        counts_vah=profile.counts_vah,
    )


def _unchanged(unit: Unit, billed: BilledSession, draft: Invoice) -> Session:
    session = unit.sessions.get(billed.id)
    if (
        session is None
        or session.invoice is not None
        or session.state is not SessionState.CLOSED
        or session.driver != draft.driver
        or session.claim() != Claim(billed.start_wh, billed.end_wh, billed.energy_wh)
    ):
        raise UserError(
            "Session {session} changed or was billed since draft {draft} was made. Nothing was "
            "issued: drop the draft and make a new one.",
            session=billed.id,
            draft=draft.id,
        )
    return session


def _raw(measured: Register | None, billed_wh: int) -> str:
    """Return the words behind a billed register; behind a corrected one there are none."""
    return "" if measured is None or measured.wh != billed_wh else measured.raw.hex()


def _series(draft: Invoice, at: datetime) -> str:
    year = at.astimezone(ZoneInfo(draft.tz)).year
    return f"DEMO-{year}" if draft.specimen else f"{year}"


def _month(month: str, tz: str) -> tuple[datetime, datetime]:
    try:
        return month_bounds(month, tz)
    except (ValueError, OverflowError) as error:
        raise UserError("'{month}' is not a month: write YYYY-MM.", month=month) from error
