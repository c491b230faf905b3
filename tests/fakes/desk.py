"""Services of a depot that was never built: no database, no device, the same answers every time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

from evdesk.domain.cards import Card as RfidCard
from evdesk.domain.cards import CardEnd
from evdesk.domain.errors import (
    DeviceError,
    EvdeskError,
    NothingFound,
    Occupied,
    StorageError,
    UserError,
    WrongKey,
)
from evdesk.domain.invoices import (
    BilledSession,
    Invoice,
    InvoiceId,
    InvoiceState,
    price_session,
    total,
)
from evdesk.domain.meters import (
    Meter,
    MeterState,
    MeterStatus,
    NewMeter,
    Source,
    Station,
    StationId,
)
from evdesk.domain.permissions import sees_persons
from evdesk.domain.readings import MeterId, Reading, Register
from evdesk.domain.sessions import Replacement, Session, SessionId, SessionState, Tag
from evdesk.domain.site import Driver, DriverId, Party, Role
from evdesk.domain.tariffs import Assignment, Tariff, TariffId, parse_components
from evdesk.gui.desk import Desk, Who
from evdesk.ports import (
    ArchiveState,
    Candidate,
    Certainty,
    CollectorState,
    FoundDevice,
    LoggedEvent,
    Mark,
    Probe,
    ProbedValue,
    ProfileChoice,
    ProfileInfo,
    ProfileOption,
    Remark,
    Scan,
    ScanStep,
    ScanWatch,
    SerialPort,
    SessionFilter,
)
from evdesk.services.billing import BillingService, Drafted
from evdesk.services.cards import CardService
from evdesk.services.drivers import DriverService
from evdesk.services.exporting import ExportService
from evdesk.services.finding import FindingService
from evdesk.services.live import Card, LiveService, Overview, StationState
from evdesk.services.metering import AddedMeter, Chosen, MeterRow, MeterService
from evdesk.services.reconciling import Month
from evdesk.services.replacing import ReplacementService, Told
from evdesk.services.sessions import SessionDetail, SessionService
from evdesk.services.sites import SiteInfo, SiteService
from evdesk.services.stations import StationRow, StationService
from evdesk.services.tariffs import TariffService
from evdesk.settings import shipped
from tests.fakes.accounts import StubAccounts, StubKeys
from tests.fakes.audit import StubAudit
from tests.fakes.backups import StubBackups, StubRestores
from tests.fakes.consents import StubConsents, StubNotices
from tests.fakes.depot import Depot
from tests.fakes.faults import StubFaults, StubMail, StubMeterFacts
from tests.fakes.reviews import NAMES, StubMonths, StubReviews

PROFILES = (
    ProfileInfo("eastron-sdm630-v2", "Eastron", "SDM630 Modbus V2", "meter",
                ("rtu", "rtu_over_tcp", "tcp"), "high", False, True, 1, 1, 10,
                ("Three phases, direct 100 A.",)),
    ProfileInfo("eastron-sdm120", "Eastron", "SDM120 Modbus", "meter", ("rtu", "rtu_over_tcp"),
                "medium", False, True, 1, 1, 10, ("Single phase, 45 A.",)),
    ProfileInfo("abb-b23", "ABB", "B23 112-100", "meter", ("rtu", "rtu_over_tcp"),
                "medium", False, True, 1, 1, 10, ()),
    ProfileInfo("abl-emh1", "ABL", "eMH1", "charger", ("rtu", "rtu_over_tcp"),
                "medium", True, False, 1, 1, 0, ("Tells the state, has no register.",),
                needs_meter=True),
    ProfileInfo("alfen-ng9xx", "Alfen", "Eve Double Pro-line", "charger", ("tcp",),
                "medium", True, True, 2, 1, 1, ("Two sockets.",)),
    ProfileInfo("keba-p30-x", "KEBA", "KeContact P30 x-series", "charger", ("tcp",),
                "medium", True, True, 1, 255, 1, ("Answers one client at a time.",), choices=(
                    ProfileChoice("energy_unit", "The guide prints Wh.", "0.1wh", False, (
                        ProfileOption("0.1wh", "in 0.1 Wh", True),
                        ProfileOption("wh", "in Wh", True))),)),
)  # fmt: skip
VALUES = (
    ProbedValue("energy_import_total", 0x0048, "503337", "Wh", "44fb 5e14", None, Mark.FITS),
    ProbedValue("active_power_total", 0x0034, "7381.2", "W", "45e6 a99a", None, Mark.FITS),
    ProbedValue("current_l1", 0x0006, "10.71", "A", "412b 5c29", None, Mark.FITS),
    ProbedValue("voltage_l1", 0x0000, "229.8", "V", "4365 cccd", None, Mark.FITS),
    ProbedValue("serial_number", 0xFC00, None, "", "",
                Remark("refused", "not available (exception {code})", {"code": 2}), Mark.MISSING),
)  # fmt: skip
FOUND = (
    FoundDevice(
        1, Certainty.LIKELY, (
            Candidate("eastron-sdm630-v2", 24, False, (
                Remark("voltage", "voltages of {low} to {high} V", {"low": "229.8", "high": "231"}),
                Remark("energy", "an energy register of {kwh} kWh", {"kwh": "503.3"}))),
            Candidate("eastron-sdm120", 15, False, ()),
        ), serial="1802345",
    ),
    FoundDevice(
        2, Certainty.AMBIGUOUS, (
            Candidate("eastron-sdm120", 10, False, ()), Candidate("abb-b23", 9, False, ()),
        ),
    ),
)  # fmt: skip
OCPI = """{"id": "depot-day", "currency": "EUR", "elements": [{"price_components": [
 {"type": "ENERGY", "price": 0.4202, "vat": 19, "step_size": 1},
 {"type": "FLAT", "price": 0.5, "vat": 19, "step_size": 1}]}]}"""


class StubSite(SiteService):
    def __init__(self, depot: Depot, control: "StubCollector") -> None:
        self.depot, self.control = depot, control

    def info(self) -> SiteInfo:
        state = StubLive.state_of(self.depot, self.control)
        days = self.depot.thin_after_days
        archive = ArchiveState(self.depot.now, None, days, 2_400_000)
        return SiteInfo(
            self.depot.site, 1, 6, 200, 1_000_000, 40_000_000, state, self.control.on, 920_000,
            archive,
        )  # fmt: skip

    def set_thinning(self, after_days: int | None) -> None:
        self.depot.thin_after_days = after_days

    def stop_collector(self) -> None:
        self.control.on = False


class StubCollector:
    """A collector that is only said to run."""

    def __init__(self, on: bool = True, broken: EvdeskError | None = None) -> None:
        self.on, self.broken = on, broken

    def running(self) -> bool:
        return self.on

    def start(self) -> None:
        if self.broken:
            raise self.broken
        self.on = True

    def stop(self) -> None:
        self.on = False


class StubLive(LiveService):
    """``states`` overrides what a station says; each ``commit`` moves the version and the clock."""

    def __init__(self, depot: Depot, control: StubCollector) -> None:
        self.depot, self.control = depot, control
        self.number = 1
        self.states = {StationId(5): StationState.SILENT}
        self.broken: EvdeskError | None = None

    def commit(self, seconds: float = 1.0) -> None:
        self.number += 1
        self.depot.now += timedelta(seconds=seconds)

    def version(self) -> int:
        return self.number

    @staticmethod
    def state_of(depot: Depot, control: StubCollector) -> CollectorState:
        pid = 4242 if control.on else None
        return CollectorState(pid, "depot-pc", depot.now, depot.now, False, 12, 1)

    def overview(self) -> Overview:
        if self.broken:
            raise self.broken
        cards = tuple(self._card(station) for station in self.depot.stations)
        in_review = sum(s.state is SessionState.REVIEW for s in self.depot.sessions)
        state = self.state_of(self.depot, self.control)
        return Overview(self.depot.now, cards, state, in_review)

    def _card(self, station: Station) -> Card:
        curve = self.depot.curve(
            station.id, self.depot.now - timedelta(seconds=2), self.depot.now, 9
        )
        power_w = curve.power_w[-1] or 0.0
        session = self.depot.open_session(station)
        state = StationState.FREE
        if session is not None:
            state = StationState.CHARGING if power_w > 100 else StationState.CONNECTED
        state = self.states.get(station.id, state)
        amps = round(power_w / 690, 3)
        name = next(
            (d.party.name for d in self.depot.drivers if session and d.id == session.driver), None
        )
        return Card(station, state, self.depot.now, power_w, (amps, amps, round(amps * 0.99, 3)),
                    500_000, session, name, 1_000)  # fmt: skip

    def curves_between(self, stations, from_at, to_at, points):
        return {s.id: self.depot.curve(s.id, from_at, to_at, points) for s in stations}

    def sessions_today(self, from_at: datetime) -> list[Session]:
        return [s for s in self.depot.sessions if s.figures.plugged_in_at >= from_at]


class StubMeters(MeterService):
    """``silent`` URLs do not answer."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.silent = {"tcp://192.168.20.99:502"}

    def profiles(self) -> tuple[ProfileInfo, ...]:
        return PROFILES

    def rows(self) -> tuple[MeterRow, ...]:
        return tuple(self._row(n, meter) for n, meter in enumerate(self.depot.meters))

    def _row(self, number: int, meter: Meter) -> MeterRow:
        profile = next((p for p in PROFILES if p.id == meter.profile), None)
        if number == 4:
            error = "tcp://192.168.20.15:502 does not answer within 3 s."
            status = MeterStatus(
                meter.id,
                MeterState.SILENT,
                self.depot.now - timedelta(minutes=47),
                1000,
                81_200,
                940,
                error,
            )
        else:
            status = MeterStatus(
                meter.id, MeterState.OK, self.depot.now, 1000, 84_020 + number, number % 3
            )
        power_w = self.depot.curve(
            meter.id, self.depot.now - timedelta(seconds=1), self.depot.now, 3
        ).power_w[-1]
        reading = Reading(
            meter.id, 1, self.depot.now, 503_337 + 91_337 * number, b"\0\7\xa8\5", power_w
        )
        return MeterRow(meter, profile, status, reading)

    async def add(self, new: NewMeter) -> AddedMeter:
        if any(meter.name == new.name for meter in self.depot.meters):
            raise UserError("A meter named {name} exists already.", name=new.name)
        number = len(self.depot.meters) + 1
        meter = Meter(
            id=MeterId(number),
            name=new.name,
            profile=new.profile,
            url=new.url,
            unit=new.unit,
            phases=new.phases,
            serial=new.serial,
            interval_ms=new.interval_ms,
            role=new.role,
            created_at=self.depot.now,
            mid_class=new.mid_class,
            seal=new.seal,
            calibrated_until=new.calibrated_until,
            choices=new.choices,
        )
        self.depot.meters.append(meter)
        error = None
        if new.url in self.silent:
            error = DeviceError("{url} does not answer within {seconds} s.", url=new.url, seconds=3)
        counts = any(p.id == new.profile and p.has_energy for p in PROFILES)
        return AddedMeter(meter, new.name if counts else None, not counts, error)

    def set_interval(self, name: str, interval_ms: int | None) -> None:
        self.depot.meters = [
            replace(m, interval_ms=interval_ms) if m.name == name else m for m in self.depot.meters
        ]

    def choose(self, name: str, choices: Mapping[str, str | None], reason: str) -> Chosen:
        if not reason.strip():
            raise UserError("Say why: a reason of some words is kept with your name.")
        meter = next(one for one in self.depot.meters if one.name == name)
        wanted = {**meter.choices, **choices}
        after = {key: option for key, option in wanted.items() if option is not None}
        changed = replace(meter, choices=after)
        self.depot.meters = [changed if one.name == name else one for one in self.depot.meters]
        return Chosen(after, meter.choices, counts_otherwise=True)

    def remove(self, name: str) -> None:
        if any(station.name == name for station in self.depot.stations):
            raise UserError(
                "Station {station} still uses meter {name}: retire the station first.",
                station=name, name=name,
            )  # fmt: skip
        self.depot.meters = [meter for meter in self.depot.meters if meter.name != name]


class StubFinding(FindingService):
    """Two devices on every bus; ``silent`` URLs do not answer."""

    def __init__(self, meters: StubMeters) -> None:
        self.meters = meters
        self.values, self.hints = VALUES, ()
        self.scans: list[tuple[str, str | None]] = []
        self.probes: list[tuple[str, int | None, str | None, dict[str, str]]] = []
        self.holds = Event()  # cleared, a scan waits after its first device
        self.holds.set()
        self.watch: ScanWatch | None = None
        self.occupied_by: StubCollector | None = None

    def profiles(self) -> tuple[ProfileInfo, ...]:
        return PROFILES

    def serial_ports(self) -> tuple[SerialPort, ...]:
        return (SerialPort("/dev/ttyUSB0", "FT232R USB UART"), SerialPort("/dev/ttyS0", ""))

    def check_url(self, url: str) -> str:
        if " " in url or "://" not in url:
            raise UserError("'{url}' is no device URL.", url=url)
        return url

    async def scan(
        self, url: str, units: str | None, watch: ScanWatch, *, thorough: bool = False
    ) -> Scan:
        self._check(url)
        self.scans.append((url, units))
        self.watch = watch
        found: list[FoundDevice] = []
        for number, device in enumerate(FOUND):
            watch.tell(ScanStep(device.unit, number, len(FOUND)))
            if watch.stopped():
                break
            found.append(device)
            watch.tell(ScanStep(device.unit, number + 1, len(FOUND), device))
            self.holds.wait(10)
        units_left = tuple(device.unit for device in FOUND[len(found) :])
        return Scan(tuple(found), tuple(device.unit for device in found), units_left)

    async def probe(
        self,
        url: str,
        unit: int | None = None,
        profile: str | None = None,
        choices: Mapping[str, str] | None = None,
        watch: ScanWatch | None = None,
    ) -> Probe:
        self.probes.append((url, unit, profile, dict(choices or {})))
        self._check(url)
        return Probe(profile or PROFILES[0].id, unit or 1, self.values, self.hints)

    def _check(self, url: str) -> None:
        if self.occupied_by is not None and self.occupied_by.running():
            raise Occupied("The collector reads there.")
        if url in self.meters.silent:
            raise DeviceError("{url} does not answer within {seconds} s.", url=url, seconds=3)


class StubStations(StationService):
    """``without_state`` are meters whose stations know no state; ``broken`` refuses new ones."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.without_state: set[MeterId] = set()
        self.broken: EvdeskError | None = None
        self.made: list[tuple[str, str, str | None]] = []
        self.defaults: dict[str, DriverId | None] = {
            station.name: driver.id
            for station, driver in zip(depot.stations[:1], depot.drivers, strict=False)
        }

    def rows(self) -> tuple[StationRow, ...]:
        return tuple(
            StationRow(self._stated(s), s.name, s.name if s.id % 2 else None,
                       self.defaults.get(s.name))
            for s in self.depot.stations
        )  # fmt: skip

    def _stated(self, station: Station) -> Station:
        unknown = station.energy.meter_id in self.without_state
        return replace(station, state=None) if unknown else station

    def add(self, name: str, energy_from: str, state_from: str | None) -> Station:
        if self.broken:
            raise self.broken
        self.made.append((name, energy_from, state_from))
        number = len(self.depot.stations) + 1
        station = Station(StationId(number), name, Source(MeterId(1)), None, self.depot.now)
        self.depot.stations.append(station)
        self.depot.charges[station.id] = []
        return station

    def rename(self, name: str, new_name: str) -> None:
        self.depot.stations = [
            replace(s, name=new_name) if s.name == name else s for s in self.depot.stations
        ]

    def retire(self, name: str) -> None:
        self.depot.stations = [s for s in self.depot.stations if s.name != name]

    def set_default_driver(self, name: str, driver: DriverId | None, from_at: datetime) -> None:
        self.defaults[name] = driver


class StubDrivers(DriverService):
    """``hides`` shows pseudonyms; ``revealed`` are who was revealed, and why."""

    def __init__(self, depot: Depot, hides: bool = False) -> None:
        self.depot, self.hides = depot, hides
        self.revealed: list[tuple[str, str]] = []

    def all(self, *, retired: bool = False) -> list[Driver]:
        if self.hides:
            return [replace(each, party=Party(each.id)) for each in self.depot.drivers]
        return list(self.depot.drivers)

    def reveal(self, driver: DriverId, reason: str) -> Driver:
        self.revealed.append((driver, reason))
        return next(each for each in self.depot.drivers if each.id == driver)

    def add(self, party: Party, language: str | None = None) -> Driver:
        if not party.name.strip():
            raise UserError("A driver needs a name.")
        number = len(self.depot.drivers) + 1
        driver = Driver(DriverId(f"D-{number}NEW"), party, language or "en", self.depot.now)
        self.depot.drivers.append(driver)
        return driver

    def change(self, driver: DriverId, party: Party, language: str | None = None) -> Driver:
        before = next(each for each in self.depot.drivers if each.id == driver)
        after = replace(before, party=party, language=language or before.language)
        self.depot.drivers = [after if each.id == driver else each for each in self.depot.drivers]
        return after

    def retire(self, driver: DriverId) -> None:
        self.depot.drivers = [each for each in self.depot.drivers if each.id != driver]


class StubCards(CardService):
    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.cards: list[RfidCard] = []

    def all(self) -> list[RfidCard]:
        return list(self.cards)

    def add(
        self,
        driver: DriverId,
        number: str,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
    ) -> RfidCard:
        if len(number) < 4:
            raise UserError("A card's number has at least 4 characters.")
        tag = Tag(number.encode().ljust(32), f"…{number[-4:]}")
        card = RfidCard(len(self.cards) + 1, tag, driver, from_at or self.depot.now, to_at)
        self.cards.append(card)
        return card

    def end(self, card_id: int, cause: CardEnd) -> RfidCard:
        found = self.cards[card_id - 1]
        self.cards[card_id - 1] = replace(found, ended_at=self.depot.now, end=cause)
        return self.cards[card_id - 1]


class StubReplacements(ReplacementService):
    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.told: list[tuple[str, Told]] = []

    def replace(self, name: str, told: Told) -> Replacement:
        self.told.append((name, told))
        return Replacement(1, MeterId(1), 1, self.depot.now, told.final_wh, told.first_wh)


class StubTariffs(TariffService):
    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.tariffs: list[Tariff] = []
        self.assignments: list[Assignment] = []
        if not depot.stations:
            return
        self.add(OCPI)
        self.assign(TariffId("depot-day"), depot.now - timedelta(days=40))

    def add(self, text: str) -> Tariff:
        data = json.loads(text, parse_float=Decimal)
        tariff = Tariff(
            TariffId(data["id"]), data["currency"], parse_components(data), text, self.depot.now
        )
        self.tariffs.append(tariff)
        return tariff

    def assign(self, tariff, from_at, station=None, driver=None):
        where = next((s.id for s in self.depot.stations if s.name == station), None)
        assignment = Assignment(tariff, from_at, where, driver)
        self.assignments.append(assignment)
        return assignment

    def all(self) -> list[tuple[Tariff, list[Assignment]]]:
        return [(t, [a for a in self.assignments if a.tariff == t.id]) for t in self.tariffs]


class StubSessions(SessionService):
    def __init__(self, depot: Depot) -> None:
        self.depot = depot

    def find(self, wanted: SessionFilter) -> list[Session]:
        return [session for session in self.depot.sessions if _matches(session, wanted)]

    def detail(self, session_id: SessionId, points: int = 600) -> SessionDetail:
        session = next(s for s in self.depot.sessions if s.id == session_id)
        figures = session.figures
        station = next(s for s in self.depot.stations if s.id == session.station_id)
        meter = next(m for m in self.depot.meters if m.id == station.energy.meter_id)
        until = figures.unplugged_at or self.depot.now
        first, last = _registers(session)
        events = [
            LoggedEvent(figures.plugged_in_at, "opened", first.wh, first.raw.hex(), {}),
            LoggedEvent(
                figures.plugged_in_at + timedelta(seconds=9),
                "charging_started",
                first.wh + 2,
                "",
                {},
            ),
        ]
        if figures.unplugged_at:
            stopped_at = until - timedelta(minutes=9)
            events += [
                LoggedEvent(stopped_at, "charging_stopped", last.wh, last.raw.hex(), {}),
                LoggedEvent(until, "closed", last.wh, last.raw.hex(), {}),
            ]
        return SessionDetail(
            session=session,
            driver=next((d for d in self.depot.drivers if d.id == session.driver), None),
            station=station,
            meter=meter,
            events=tuple(events),
            curve=self.depot.curve(station.id, figures.plugged_in_at, until, points),
            decisions=tuple(self.depot.decisions.get(session_id, ())),
            names=NAMES,
        )

    def assign(self, sessions, driver: DriverId) -> None:
        self.depot.sessions = [
            replace(s, driver=driver) if s.id in sessions else s for s in self.depot.sessions
        ]


def _matches(session: Session, wanted: SessionFilter) -> bool:
    at = session.figures.plugged_in_at
    return (
        (wanted.from_at is None or at >= wanted.from_at)
        and (wanted.to_at is None or at < wanted.to_at)
        and wanted.station in {None, session.station_id}
        and wanted.driver in {None, session.driver}
        and wanted.state in {None, session.state}
    )


class StubExports(ExportService):
    def __init__(self, sessions: StubSessions) -> None:
        self.find = sessions.find

    def sessions(self, suffix: str, wanted: SessionFilter) -> tuple[bytes, int]:
        found = self.find(wanted)
        return "\n".join(f"{s.id};{s.station}" for s in found).encode(), len(found)

    def month(self, suffix: str, month: Month) -> tuple[bytes, int]:
        lines = [f"{row.name};{row.unexplained_wh}" for row in month.rows]
        return "\n".join(lines).encode(), len(lines)


class StubBilling(BillingService):
    """Invoices as the real service makes them, from the stub's sessions; PDFs by a renderer."""

    def __init__(
        self, depot: Depot, render: Callable[[Invoice], bytes], hides: bool = False
    ) -> None:
        self.depot, self.render, self.hides = depot, render, hides
        self.seller: Party | None = Party(
            "Nordhafen Energie eG", "Kaistraße 1", "24103", "Kiel", "DE", "DE123456789"
        )
        self.invoices: list[Invoice] = []
        self.revealed: list[tuple[str, str]] = []

    def issuer(self) -> Party | None:
        return self.seller

    def set_issuer(self, issuer: Party) -> None:
        if not issuer.name.strip():
            raise UserError("The issuer needs a name.")
        self.seller = issuer

    def draft(self, driver_id: DriverId, month: str) -> Drafted:
        closed = [
            s
            for s in self.depot.sessions
            if s.driver == driver_id and s.state is SessionState.CLOSED
        ]
        if not closed or month != "2026-11":
            raise NothingFound(
                "{driver} has no closed session in {month} that is not billed yet.",
                driver=driver_id, month=month,
            )  # fmt: skip
        driver = next(d for d in self.depot.drivers if d.id == driver_id)
        components = parse_components(json.loads(OCPI, parse_float=Decimal))
        lines = tuple(
            line for s in closed
            for line in price_session(s.id, s.figures.energy_wh or 0, components, "EUR")
        )  # fmt: skip
        invoice = Invoice(
            id=InvoiceId(f"I-{len(self.invoices) + 1}F4K2"),
            state=InvoiceState.DRAFT,
            number=None,
            driver=driver_id,
            seller=self.seller or Party(""),
            buyer=driver.party,
            tz="Europe/Berlin",
            language="en",
            currency="EUR",
            period_from=datetime(2026, 10, 31, 23, tzinfo=UTC),
            period_to=datetime(2026, 11, 30, 23, tzinfo=UTC),
            created_at=self.depot.now,
            issued_at=None,
            specimen=False,
            sessions=tuple(_billed(s, self.depot.now) for s in closed),
            lines=lines,
            totals=total(lines, "EUR"),
        )
        self.invoices.insert(0, invoice)
        return Drafted(invoice, in_review=1, still_open=1)

    def issue(self, invoice_id: InvoiceId) -> Invoice:
        draft = self.get(invoice_id)
        number = sum(i.state is InvoiceState.ISSUED for i in self.invoices) + 1
        issued = replace(
            draft, state=InvoiceState.ISSUED, number=f"2026-{number:05d}", issued_at=self.depot.now
        )
        self.invoices = [issued if i.id == invoice_id else i for i in self.invoices]
        return issued

    def drop(self, invoice_id: InvoiceId) -> None:
        self.invoices = [invoice for invoice in self.invoices if invoice.id != invoice_id]

    def all(self) -> list[Invoice]:
        if self.hides:
            return [replace(each, buyer=Party(each.driver)) for each in self.invoices]
        return list(self.invoices)

    def get(self, invoice_id: InvoiceId) -> Invoice:
        return next(invoice for invoice in self.invoices if invoice.id == invoice_id)

    def document(self, invoice_id: InvoiceId) -> bytes:
        return self.render(self.get(invoice_id))

    def reveal_document(self, invoice_id: InvoiceId, reason: str) -> bytes:
        self.revealed.append((invoice_id, reason))
        return self.document(invoice_id)


def _registers(session: Session) -> tuple[Register, Register]:
    start, end = session.figures.start, session.figures.end
    assert start is not None
    assert end is not None
    return start, end


def _billed(session: Session, now: datetime) -> BilledSession:
    figures = session.figures
    start, end = _registers(session)
    return BilledSession(
        session.id, session.station, session.station, "Eastron SDM630", "24-31097",
        figures.plugged_in_at, figures.unplugged_at or now, start.wh, end.wh,
        figures.energy_wh or 0, start.raw.hex(), end.raw.hex(),
        figures.charging_ms // 1000, TariffId("depot-day"), OCPI,
    )  # fmt: skip


class StubFirstRun:
    """Opens a stub desk with the password ``correct horse battery``."""

    def __init__(self, desk: Desk, known: bool = False) -> None:
        self.desk, self.known = desk, known
        self.several, self.wait_s = False, 0
        self.keyring = self.keyring_fails = False
        self.restore = StubRestores()
        self.created: tuple[str, ...] = ()

    def exists(self, folder: Path) -> bool:
        return self.known

    def create(self, folder, name, owner, password, *place):
        self.created = (name, owner, *place)
        return self.desk, "7KQ2M9XF-4T8WBC1P-ZR6N3HYD-0VJE5SGA"

    def has_several_accounts(self, folder: Path) -> bool:
        return self.several

    def seconds_to_wait(self, folder: Path) -> int:
        return self.wait_s

    def open_with_keyring(self, folder: Path) -> Desk | None:
        if self.keyring_fails:
            raise StorageError("The keyring is locked.")
        return self.desk if self.keyring else None

    def unlock(self, folder: Path, user: str | None, password: str) -> Desk:
        if password != "correct horse battery":
            raise WrongKey("The password does not open this site.")
        return self.desk

    def restores(self) -> StubRestores:
        return self.restore

    def demo(self) -> Desk:
        return self.desk


def real_document(invoice: Invoice) -> bytes:
    """Return the PDF people get."""
    from evdesk.documents.invoice_pdf import TypstInvoices

    return TypstInvoices(shipped("resources")).pdf(invoice)


def empty_depot() -> Depot:
    """A site on its first morning."""
    depot = Depot(0)
    depot.drivers.clear()
    return depot


def stub_desk(depot: Depot | None = None, running: bool = True, role: Role = Role.OWNER) -> Any:
    """Return a desk over a depot: Any, so that tests can reach into the stubs.

    Its documents are the real ones.
    """
    depot = depot or Depot()
    control = StubCollector(running)
    sessions = StubSessions(depot)
    meters, accounts = StubMeters(depot), StubAccounts(role)
    notices = StubNotices(depot)
    return Desk(
        who=Who("Hanna Krüger", role),
        forget=lambda: None,
        prove=lambda _password: None,
        site=StubSite(depot, control),
        live=StubLive(depot, control),
        meters=meters,
        finding=StubFinding(meters),
        stations=StubStations(depot),
        drivers=StubDrivers(depot, hides=not sees_persons(role)),
        cards=StubCards(depot),
        consents=StubConsents(depot, notices),
        notices=notices,
        replacements=StubReplacements(depot),
        tariffs=StubTariffs(depot),
        sessions=sessions,
        reviews=StubReviews(depot),
        months=StubMonths(depot),
        billing=StubBilling(depot, real_document, hides=not sees_persons(role)),
        exports=StubExports(sessions),
        faults=StubFaults(depot),
        mail=StubMail(depot),
        meter_facts=StubMeterFacts(depot),
        collector=control,
        audit=StubAudit(size=60 if depot.stations else 0),
        accounts=accounts,
        keys=StubKeys(accounts),
        backups=StubBackups(6 if depot.stations else 0),
    )
