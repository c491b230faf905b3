"""What readers learn of their devices outlives the collector."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from evdesk.domain.device_memory import DeviceMemory, device_of
from evdesk.domain.meters import Meter
from evdesk.domain.readings import MeterId
from evdesk.ports import Store
from evdesk.services.polling import Plan


def has_learned(plans: Sequence[Plan]) -> bool:
    """Say whether a reader knows something that the database does not."""
    return any(plan.reader.refusals != plan.remembered for plan in plans)


def remember(store: Store, plans: Sequence[Plan], now: datetime) -> None:
    """Write what readers have learned.

    Raises:
        StorageError: nothing was written; it can be tried again.

    """
    learned = [plan for plan in plans if plan.reader.refusals != plan.remembered]
    with store.journal() as unit:
        before = unit.memories.all()
        for plan in learned:
            since = _since(plan.meter, before, now)
            refusals = plan.reader.refusals
            unit.memories.save(DeviceMemory(plan.meter.id, device_of(plan.meter), since, refusals))
    for plan in learned:
        plan.remembered = plan.reader.refusals


def _since(meter: Meter, before: Mapping[MeterId, DeviceMemory], now: datetime) -> datetime:
    """Return when the oldest of it was learned, so that all of it is forgotten one day."""
    memory = before.get(meter.id)
    return memory.learned_at if memory is not None and memory.holds_for(meter, now) else now
