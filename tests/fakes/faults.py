"""Faults and mail of a depot that was never built."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.faults import CATALOGUE, Fault, FaultCode, FaultId, FaultKey
from evdesk.domain.mail import Letter, MailId, MailServer, MailState, Posted
from evdesk.domain.readings import MeterId
from evdesk.ports import FaultFilter
from evdesk.services.faults import FaultService, Repair, repairs_of
from evdesk.services.mailing import MailService
from evdesk.services.meter_facts import MeterFacts, MeterFactsService, facts_of
from tests.fakes.depot import Depot

TOLD: tuple[tuple[FaultCode, int | None, int, int | None, str | None, dict[str, object]], ...] = (
    # code, meter, minutes ago, lasted minutes, acknowledged by, facts
    (FaultCode.DEVICE_SILENT, 5, 47, None, None,
     {"why": "tcp://192.168.20.15:502 does not answer within 3 s."}),
    (FaultCode.CALIBRATION_EXPIRING, 2, 400, None, None, {"until": "2026-12-14"}),
    (FaultCode.UNBALANCED, 4, 95, None, "Olivia", {"currents_a": [31.8, 0.1, 0.0]}),
    (FaultCode.LONG_IDLE, 1, 20, None, None, {}),
    (FaultCode.HIGH_TEMPERATURE, 3, 2_000, 38, "Olivia", {"error_code": 10}),
    (FaultCode.DEVICE_SILENT, 5, 5_000, 12, None,
     {"why": "tcp://192.168.20.15:502 does not answer within 3 s."}),
    (FaultCode.COLLECTOR_STOPPED, None, 9_000, 66, "Olivia", {}),
    (FaultCode.REGISTER_FROZEN, 6, 11_000, 190, "Olivia", {"wh": 1_051_359, "drawn_wh": 640}),
    (FaultCode.PHASE_LOST, 6, 11_400, 25, None,
     {"phases": ["L2"], "voltages_v": [229.8, 1.2, 230.4]}),
)  # fmt: skip


class StubFaults(FaultService):
    """``begin`` and ``end`` make faults come and go."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.numbers = count(1)
        self.faults: list[Fault] = []
        self.looks = 0
        for code, meter, ago, lasted, by, facts in TOLD if depot.stations else ():
            fault = self.begin(code, meter, ago, facts)
            until = None if lasted is None else fault.since_at + timedelta(minutes=lasted)
            seen = None if by is None else fault.since_at + timedelta(minutes=9)
            self.put(replace(fault, until_at=until, acknowledged_by=by, acknowledged_at=seen))

    def begin(self, code: FaultCode, meter: int | None, ago: float = 0, facts=None) -> Fault:
        name = next((m.name for m in self.depot.meters if m.id == meter), None)
        station = next((s for s in self.depot.stations if s.id == meter), None)
        fault = Fault(
            id=FaultId(next(self.numbers)),
            key=FaultKey(code, None if meter is None else MeterId(meter)),
            severity=CATALOGUE[code].severity,
            meter=name,
            station_id=None if station is None else station.id,
            station=None if station is None else station.name,
            since_at=self.depot.now - timedelta(minutes=ago),
            until_at=None,
            unseen_end=False,
            acknowledged_at=None,
            acknowledged_by=None,
            note=None,
            facts=facts or {},
        )
        self.faults.append(fault)
        return fault

    def end(self, fault: Fault) -> None:
        self.put(replace(fault, until_at=self.depot.now))

    def put(self, fault: Fault) -> None:
        self.faults = [fault if each.id == fault.id else each for each in self.faults]

    def find(self, wanted: FaultFilter) -> list[Fault]:
        found = [
            f
            for f in self.faults
            if (f.is_open or not wanted.open_only)
            and (wanted.from_at is None or f.until_at is None or f.until_at >= wanted.from_at)
            and (wanted.to_at is None or f.since_at < wanted.to_at)
            and wanted.severity in {None, f.severity}
        ]
        found.sort(key=lambda f: f.since_at, reverse=True)
        return sorted(found, key=lambda f: not f.is_open)

    def look(self) -> None:
        self.looks += 1

    def acknowledge(self, fault_id: FaultId, note: str | None = None) -> Fault:
        fault = next(each for each in self.faults if each.id == fault_id)
        if fault.acknowledged_by:
            raise UserError("Fault {fault} was acknowledged by {name} already.",
                            fault=fault_id, name=fault.acknowledged_by)  # fmt: skip
        seen = replace(
            fault, acknowledged_by="Olivia", acknowledged_at=self.depot.now, note=note or None
        )
        self.put(seen)
        return seen

    def repairs(self, month: str) -> list[Repair]:
        return repairs_of(fault for fault in self.faults if not fault.is_open)

    def export(self, suffix: str, wanted: FaultFilter) -> tuple[bytes, int]:
        found = self.find(wanted)
        return "\n".join(f"{f.id};{f.code}" for f in found).encode(), len(found)


class StubMeterFacts(MeterFactsService):
    def __init__(self, depot: Depot) -> None:
        self.depot = depot

    def get(self, name: str) -> MeterFacts:
        return facts_of(next(meter for meter in self.depot.meters if meter.name == name))

    def set(self, name: str, facts: MeterFacts) -> MeterFacts:
        self.depot.meters = [
            replace(
                meter,
                serial=facts.serial,
                mid_class=facts.mid_class,
                seal=facts.seal,
                calibrated_until=facts.calibrated_until,
            )
            if meter.name == name
            else meter
            for meter in self.depot.meters
        ]
        return facts


class StubMail(MailService):
    """A mail server that takes everything, unless it is ``broken``."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.found: MailServer | None = None
        self.broken: DeviceError | None = None
        self.delivered = 0

    def server(self) -> MailServer | None:
        return self.found

    def set_server(self, server: MailServer) -> None:
        if "@" not in server.recipient:
            raise UserError("'{address}' is no e-mail address.", address=server.recipient)
        self.found = server

    def clear_server(self) -> None:
        self.found = None

    def test(self) -> str:
        if self.broken:
            raise self.broken
        return "2.0.0 OK: queued"

    def newest(self, limit: int = 100) -> list[Posted]:
        letter = Letter("alert", "1@x", "o@example.org", "Depot: Collector stopped", "")
        now = self.depot.now
        return [Posted(MailId(1), letter, now, MailState.SENT, 1, now, "OK")]

    def deliver(self) -> int:
        self.delivered += 1
        return 0
