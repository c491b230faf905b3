"""What a meter's label and seal say: serial number, MID class, seal, calibration."""

from dataclasses import dataclass, replace
from datetime import date

from evdesk.domain.audit import Change
from evdesk.domain.meters import Meter, MidClass
from evdesk.domain.permissions import Action
from evdesk.ports import Store
from evdesk.services.metering import existing_meter
from evdesk.services.permitting import permit


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What people read off a meter; ``calibrated_until`` is the last valid day."""

    serial: str | None
    mid_class: MidClass | None
    seal: str | None
    calibrated_until: date | None


class MeterFactsService:
    """Use cases of what is written on a meter."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @permit(Action.LOOK)
    def get(self, name: str) -> MeterFacts:
        """Return what is known of a meter.

        Raises:
            UserError: unknown.

        """
        with self._store.read() as unit:
            return facts_of(existing_meter(unit, name))

    @permit(Action.CHANGE_DEVICES)
    def set(self, name: str, facts: MeterFacts) -> MeterFacts:
        """Write what is known of a meter; with another serial number, the one read is forgotten.

        Raises:
            UserError: unknown.

        """
        with self._store.write() as unit:
            meter = existing_meter(unit, name)
            new = replace(facts, serial=_text(facts.serial), seal=_text(facts.seal))
            changed = replace(
                meter,
                serial=new.serial,
                mid_class=new.mid_class,
                seal=new.seal,
                calibrated_until=new.calibrated_until,
            )
            if changed == meter:
                return new
            unit.meters.set_facts(changed)
            unit.collector.bump_revision()
            said = {"now": _audited(new), "before": _audited(facts_of(meter))}
            unit.record_change(Change("meter.facts", "meter", str(meter.id), said))
        return new


def facts_of(meter: Meter) -> MeterFacts:
    """Return the part of a meter that people read off it."""
    return MeterFacts(meter.serial, meter.mid_class, meter.seal, meter.calibrated_until)


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None


def _audited(facts: MeterFacts) -> dict[str, object]:
    until = facts.calibrated_until
    return {
        "serial": facts.serial,
        "mid_class": facts.mid_class,
        "seal": facts.seal,
        "calibrated_until": None if until is None else until.isoformat(),
    }
