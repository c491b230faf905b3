"""Meters put in others' places: the old one's last and the new one's first register, kept."""

from dataclasses import dataclass, replace
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.instants import rfc3339
from evdesk.domain.meters import MeterRole, Source
from evdesk.domain.permissions import Action
from evdesk.domain.readings import Reading
from evdesk.domain.registers import Bounds
from evdesk.domain.sessions import Replacement
from evdesk.ports import Clock, Store
from evdesk.services.metering import existing_meter
from evdesk.services.permitting import permit
from evdesk.settings import CHARGING


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody read off the two meters; ``at`` None is now."""

    final_wh: int
    first_wh: int
    serial: str | None = None
    reason: str = ""
    socket: int = 1
    at: datetime | None = None


class ReplacementService:
    """Use cases of replaced meters."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @permit(Action.CHANGE_DEVICES)
    def replace(self, name: str, told: Told) -> Replacement:
        """Say that a meter was replaced; sessions go on over both meters' registers.

        Raises:
            UserError: unknown, a negative register, or registers that contradict what was read.

        """
        if told.final_wh < 0 or told.first_wh < 0:
            raise UserError("A register is never below 0 Wh.")
        with self._store.write() as unit:
            meter = existing_meter(unit, name)
            at = told.at or self._clock.now()
            if at > self._clock.now():
                raise UserError("{at} is still to come: say it once it is done.", at=at.isoformat())
            source = Source(meter.id, told.socket)
            if meter.role is MeterRole.STATION:
                _check(unit.readings.latest([source]).get(source), told, at)
            made = Replacement(
                id=0,
                meter_id=meter.id,
                socket=told.socket,
                at=at,
                final_wh=told.final_wh,
                first_wh=told.first_wh,
                serial=told.serial,
                reason=told.reason,
            )
            made = replace(made, id=unit.replacements.add(made))
            unlabelled = replace(meter, mid_class=None, seal=None, calibrated_until=None)
            unit.meters.set_facts(replace(unlabelled, serial=told.serial))
            unit.meters.forget_serial(meter.id)
            unit.collector.bump_revision()
            facts = {
                "final_wh": told.final_wh,
                "first_wh": told.first_wh,
                "serial": told.serial,
                "serial_before": meter.serial,
                "at": at,
                "reason": told.reason,
            }
            unit.record_change(Change("meter.replaced", "meter", str(meter.id), facts))
            return made


def _check(latest: Reading | None, told: Told, at: datetime) -> None:
    """Refuse registers that contradict what was read before or after the replacement."""
    if latest is None or latest.import_wh is None:
        return
    read_wh, old = latest.import_wh, latest.at <= at
    rise_wh = told.final_wh - read_wh if old else read_wh - told.first_wh
    elapsed = at - latest.at if old else latest.at - at
    bounds = Bounds(CHARGING.max_power_w)
    if bounds.plausible(rise_wh, elapsed):
        return
    raise UserError(
        "The old meter was last read at {read} Wh, {at}: it cannot have ended at {typed} Wh. If it "
        "is the new meter that was read there, say when it was put in. Nothing was kept."
        if old
        else "The new meter was read at {read} Wh, {at}: it cannot have begun at {typed} Wh. "
        "Nothing was kept.",
        read=read_wh,
        at=rfc3339(latest.at),
        typed=told.final_wh if old else told.first_wh,
    )
