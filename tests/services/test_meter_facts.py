"""What is written on a meter: entered, audited, forgotten with the meter it stood on."""

import json
from dataclasses import replace
from datetime import date

from evdesk.domain.meters import MidClass
from evdesk.services.meter_facts import MeterFacts, MeterFactsService
from evdesk.services.replacing import ReplacementService, Told
from tests.services.desk import Desk

LABEL = MeterFacts("4711", MidClass.B, "DE-M24-0102", date(2032, 12, 31))


def seen(desk: Desk) -> str | None:
    with desk.store.read() as unit:
        (status,) = unit.meters.statuses().values()
        return status.seen_serial


def test_a_label_is_kept_and_audited_with_what_stood_before(desk: Desk) -> None:
    desk.add_meter()
    service = MeterFactsService(desk.store)
    assert service.set("bay1", replace(LABEL, seal="  DE-M24-0102 ")) == LABEL
    assert service.get("bay1") == LABEL
    entry = desk.audit()[-1]
    assert entry.action == "meter.facts"
    facts = json.loads(entry.facts)
    assert facts["before"]["seal"] is None
    assert facts["now"]["calibrated_until"] == "2032-12-31"


def test_a_label_that_stays_as_it_is_writes_nothing(desk: Desk) -> None:
    desk.add_meter()
    service = MeterFactsService(desk.store)
    service.set("bay1", LABEL)
    before = desk.everything()
    service.set("bay1", LABEL)
    assert desk.everything() == before


def test_an_unknown_meter_has_no_label(desk: Desk) -> None:
    with desk.refused("no meter named gone"):
        MeterFactsService(desk.store).set("gone", LABEL)


def test_a_replaced_meter_takes_its_label_with_it(desk: Desk) -> None:
    meter = desk.add_meter().meter.id
    service = MeterFactsService(desk.store)
    service.set("bay1", replace(LABEL, serial=None))
    with desk.store.journal() as unit:
        unit.meters.note_serial(meter, "old")
    ReplacementService(desk.store, desk.clock).replace("bay1", Told(9_000, 0, None, "expired"))
    assert service.get("bay1") == MeterFacts(None, None, None, None)
    assert seen(desk) is None
