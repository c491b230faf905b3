"""Faults: list, acknowledge, time to repair; and what is seen while no collector watches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.faults import CATALOGUE, Fault, FaultChange, FaultCode, FaultId, FaultKey
from evdesk.domain.instants import month_bounds
from evdesk.domain.permissions import Action
from evdesk.ports import (
    Cell,
    Clock,
    CollectorState,
    Computer,
    FaultFilter,
    Store,
    Table,
    TableWriter,
    Unit,
)
from evdesk.services.handing_out import note_export
from evdesk.services.permitting import permit
from evdesk.services.sites import is_running
from evdesk.settings import FAULTS

STOPPED = FaultKey(FaultCode.COLLECTOR_STOPPED)
DISK = FaultKey(FaultCode.DISK_NEARLY_FULL)
BYTES_PER_MB = 1_000_000
COLUMNS = (
    "id", "code", "severity", "station", "meter", "since_at", "until_at", "repair_s",
    "acknowledged_by", "acknowledged_at", "note", "what", "detail", "what_to_do",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repair:
    """How the faults of one device that ended in a month were repaired; "" is the site itself."""

    device: str
    faults: int
    total_s: int
    longest_s: int

    @property
    def mean_s(self) -> int:
        """Return the mean time to repair."""
        return self.total_s // self.faults


class FaultService:
    """Use cases of faults; ``wall`` is the real clock, also on demo sites."""

    def __init__(
        self, store: Store, clock: Clock, wall: Clock, computer: Computer, writer: TableWriter
    ) -> None:
        self._store, self._clock, self._wall = store, clock, wall
        self._computer, self._writer = computer, writer

    @permit(Action.LOOK)
    def find(self, wanted: FaultFilter) -> list[Fault]:
        """Return faults: open ones first, each newest beginning first."""
        with self._store.read() as unit:
            return unit.faults.find(wanted)

    @permit(Action.LOOK)
    def look(self) -> None:
        """See what a collector cannot say that does not run: that, and how full the disk is.

        The collector itself says when it is back.
        """
        with self._store.read() as unit:
            collector, open_keys = unit.collector.state(), unit.faults.open_keys()
            if is_running(collector, self._wall.now()):
                return
            changes = [] if STOPPED in open_keys else self._stopped(unit, collector)
        changes += self._disk(is_open=DISK in open_keys)
        if changes:
            with self._store.journal() as unit:
                unit.faults.apply(changes, self._store.actor.ref)

    @permit(Action.ACKNOWLEDGE_FAULTS)
    def acknowledge(self, fault_id: FaultId, note: str | None = None) -> Fault:
        """Say that somebody has seen a fault and takes care of it; once.

        Raises:
            UserError: unknown, or acknowledged already.

        """
        with self._store.write() as unit:
            fault = _existing(unit, fault_id)
            if fault.acknowledged_by is not None:
                raise UserError(
                    "Fault {fault} was acknowledged by {name} already.",
                    fault=fault_id,
                    name=fault.acknowledged_by,
                )
            words = (note or "").strip() or None
            unit.faults.acknowledge(fault_id, self._store.actor.ref, self._clock.now(), words)
            facts = {"code": fault.code, "meter": fault.meter, "since_at": fault.since_at}
            unit.record_change(
                Change("fault.acknowledged", "fault", str(fault_id), facts, reason=words)
            )
            return _existing(unit, fault_id)

    @permit(Action.LOOK)
    def repairs(self, month: str) -> list[Repair]:
        """Return the time to repair per device for faults that ended in a local month.

        Raises:
            UserError: not a month.

        """
        with self._store.read() as unit:
            try:
                first, following = month_bounds(month, unit.site.load().tz)
            except ValueError as error:
                raise UserError(
                    "{month} is no month: write it like 2026-03.", month=month
                ) from error
            found = unit.faults.find(FaultFilter(from_at=first, to_at=following))
        return repairs_of(fault for fault in found if _ended(fault, first, following))

    @permit(Action.EXPORT)
    def export(self, suffix: str, wanted: FaultFilter) -> tuple[bytes, int]:
        """Return the file of the faults and how many there are.

        Raises:
            UserError: a suffix that is not one of .xlsx .csv .json.

        """
        with self._store.read() as unit:
            tz, found = unit.site.load().tz, unit.faults.find(wanted)
            head = unit.audit.head()
        rows = tuple(fault_row(fault) for fault in found)
        data = self._writer.write(Table("Faults", COLUMNS, rows, tz, str(head)), suffix)
        note_export(self._store, "faults", suffix, len(rows))
        return data, len(found)

    def _stopped(self, unit: Unit, collector: CollectorState) -> list[FaultChange]:
        """Return that nobody reads: at once where a collector died, else after a while.

        A demo site's time stands still with its collector, so that nothing is missed there.
        """
        demo, meters = unit.site.load().demo, unit.meters.all()
        if collector.pid is not None:
            return [died(unit, collector, self._clock.now())]
        reads = [s.last_read_at for s in unit.meters.statuses().values() if s.last_read_at]
        since_at, now = max(reads, default=None), self._wall.now()
        if demo or not meters or since_at is None:
            return []
        patience = timedelta(seconds=FAULTS.stopped_for_s)
        return [] if now - since_at < patience else [_opened(STOPPED, since_at)]

    def _disk(self, *, is_open: bool) -> list[FaultChange]:
        free_bytes = self._computer.surroundings().free_bytes
        if free_bytes is None:
            return []
        if not is_open and free_bytes < FAULTS.disk_low_bytes:
            return [_opened(DISK, self._clock.now(), free_mb=free_bytes // BYTES_PER_MB)]
        if is_open and free_bytes >= FAULTS.disk_clear_bytes:
            return [FaultChange(DISK, self._clock.now(), {}, opened=False)]
        return []


def died(unit: Unit, collector: CollectorState, now: datetime) -> FaultChange:
    """Return that a collector ended without giving its lease back; ``now`` is the site's time."""
    demo = unit.site.load().demo
    since_at = None if demo else collector.heartbeat_at
    return _opened(STOPPED, since_at or now)


def repairs_of(faults: Iterable[Fault]) -> list[Repair]:
    """Return the time to repair per device, the longest first."""
    lasted: dict[str, list[int]] = {}
    for fault in faults:
        lasted.setdefault(fault.meter or "", []).append(fault.repair_s() or 0)
    found = [Repair(name, len(each), sum(each), max(each)) for name, each in lasted.items()]
    return sorted(found, key=lambda repair: (-repair.total_s, repair.device))


def fault_row(fault: Fault) -> tuple[Cell, ...]:
    """Return a fault's cells in the order of ``COLUMNS``."""
    entry = CATALOGUE[fault.code]
    template, facts = fault.detail()
    return (
        str(fault.id),
        fault.code,
        fault.severity,
        fault.station,
        fault.meter,
        fault.since_at,
        fault.until_at,
        fault.repair_s(),
        fault.acknowledged_by,
        fault.acknowledged_at,
        fault.note,
        entry.title,
        template.format(**facts),
        entry.action,
    )


def _ended(fault: Fault, first: datetime, following: datetime) -> bool:
    return fault.until_at is not None and first <= fault.until_at < following


def _opened(key: FaultKey, at: datetime, **facts: object) -> FaultChange:
    return FaultChange(key, at, facts, opened=True)


def _existing(unit: Unit, fault_id: FaultId) -> Fault:
    fault = unit.faults.get(fault_id)
    if fault is None:
        raise UserError(
            "There is no fault {fault}. List them with: evdesk fault list", fault=fault_id
        )
    return fault
