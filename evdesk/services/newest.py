"""What a device says now, also where it tells its values in turn."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from evdesk.domain.meters import Source
from evdesk.domain.readings import Phases, Reading
from evdesk.ports import Unit

STILL_TRUE = timedelta(seconds=60)  # a value this young still stands for now


def newest_readings(unit: Unit, sources: Iterable[Source]) -> dict[Source, Reading]:
    """Return the newest reading of each source, for people to look at; never for a bill.

    Power and currents that it lacks are those read shortly before, where there are any.
    """
    latest = unit.readings.latest(sources)
    return {source: _filled(unit, source, newest) for source, newest in latest.items()}


def _filled(unit: Unit, source: Source, newest: Reading) -> Reading:
    if newest.power_w is not None and newest.peak_current_a() is not None:
        return newest
    filled = newest
    for earlier in reversed(list(unit.readings.between(source, newest.at - STILL_TRUE, newest.at))):
        filled = replace(
            filled,
            power_w=earlier.power_w if filled.power_w is None else filled.power_w,
            currents_a=_known(filled.currents_a, earlier.currents_a),
        )
        if filled.power_w is not None and None not in filled.currents_a:
            break
    return filled


def _known(newer: Phases, older: Phases) -> Phases:
    first, second, third = (o if n is None else n for n, o in zip(newer, older, strict=True))
    return first, second, third
