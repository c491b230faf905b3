"""Devices: added with or without an answer, never half."""

import asyncio
from dataclasses import replace

import pytest

from evdesk.domain.errors import DeviceError
from evdesk.domain.meters import MeterRole, MeterState, MeterStatus, NewMeter
from evdesk.domain.readings import Reading
from tests.fakes.clock import START
from tests.services.desk import URL, Desk

NEW = NewMeter("bay1", "charger", URL, 1)


def revision(desk: Desk) -> int:
    with desk.store.read() as unit:
        return unit.collector.state().revision


def test_a_charger_brings_its_station_and_is_told_to_the_collector(desk: Desk) -> None:
    before = revision(desk)
    added = desk.add_meter()
    assert (added.station, added.silent, added.needs_meter) == ("bay1", None, False)
    station = desk.stations.rows()[0]
    assert (station.energy_from, station.state_from) == ("bay1", "bay1")
    assert revision(desk) > before
    assert not desk.devices.is_open


def test_a_silent_device_is_added_all_the_same(desk: Desk) -> None:
    desk.devices.silent.add(URL)
    assert isinstance(desk.add_meter().silent, DeviceError)
    assert desk.meters.rows()[0].status.state is MeterState.NEW


def test_a_meter_without_a_state_makes_a_station_without_one(desk: Desk) -> None:
    desk.add_meter("m", "meter")
    assert desk.stations.rows()[0].state_from is None


def test_a_charger_without_a_register_brings_no_station_and_says_so(desk: Desk) -> None:
    added = desk.add_meter("lamp", "lamp")
    assert (added.station, added.needs_meter) == (None, True)
    assert desk.stations.rows() == ()


def test_a_grid_meter_is_no_charging_point(desk: Desk) -> None:
    desk.add_meter("grid", "meter", MeterRole.GRID)
    assert desk.stations.rows() == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "  "}, "needs a name"),
        ({"name": "bay:2"}, "no colon"),
        ({"name": "taken"}, "meter named taken exists"),
        ({"profile": "toaster"}, "no profile toaster"),
        ({"url": "http://x"}, "is no URL"),
        ({"unit": 256}, "Unit 256 cannot be"),
        ({"phases": "4"}, "not '4'"),
        ({"interval_ms": 199}, "interval of 0.199 s cannot be: from 0.2 s to 3600 s"),
        ({"interval_ms": 3_600_001}, "cannot be"),
        ({"profile": "lamp", "role": MeterRole.GRID}, "no energy register"),
    ],
)
def test_a_device_that_cannot_be_is_refused_with_the_reason(
    desk: Desk, change: dict[str, object], sentence: str
) -> None:
    desk.add_meter("taken")
    with desk.refused(sentence):
        asyncio.run(desk.meters.add(replace(NEW, **change)))  # type: ignore[arg-type]


def test_a_station_of_that_name_stops_the_meter_too(desk: Desk) -> None:
    desk.add_meter("m", "meter", MeterRole.GRID)
    desk.stations.add("bay1", "m", None)
    with desk.refused("station named bay1 exists already"):
        desk.add_meter("bay1")


def test_blanks_around_a_name_are_no_part_of_it(desk: Desk) -> None:
    assert desk.add_meter(" bay1 ").meter.name == "bay1"


def test_a_list_shows_what_the_collector_knows_and_the_last_register(desk: Desk) -> None:
    meter = desk.add_meter().meter.id
    with desk.store.journal() as unit:
        unit.readings.add([Reading(meter, 1, START, 4_711, power_w=11.5)])
        unit.meters.save_statuses([MeterStatus(meter, MeterState.OK, START, 1_000, 3, 1)])
    row = desk.meters.rows()[0]
    assert (row.status.state, row.status.requests, row.status.errors) == (MeterState.OK, 3, 1)
    assert row.latest is not None
    assert row.latest.import_wh == 4_711


def test_a_probe_reads_and_keeps_nothing(desk: Desk) -> None:
    before = desk.everything()
    assert asyncio.run(desk.meters.probe(URL, 1))[0].value == "1234"
    assert desk.everything() == before
    assert not desk.devices.is_open


def test_a_probe_of_a_silent_address_closes_what_it_opened(desk: Desk) -> None:
    desk.devices.silent.add(URL)
    with desk.refused("Nothing answers", DeviceError):
        asyncio.run(desk.meters.probe(URL, 1))
    assert not desk.devices.is_open


def test_an_interval_is_changed_and_the_old_one_is_in_the_log(desk: Desk) -> None:
    desk.add_meter()
    desk.meters.set_interval("bay1", 5_000)
    desk.meters.set_interval("bay1", None)
    assert desk.meters.rows()[0].meter.interval_ms is None
    assert desk.audit()[-1].facts == '{"before_ms":5000,"interval_ms":null}'


def test_a_meter_in_use_is_not_taken_away(desk: Desk) -> None:
    desk.add_meter()
    with desk.refused("Station bay1 still uses meter bay1"):
        desk.meters.remove("bay1")


def test_a_removed_meter_leaves_its_name_and_its_readings(desk: Desk) -> None:
    meter = desk.add_meter("grid", "meter", MeterRole.GRID).meter.id
    with desk.store.journal() as unit:
        unit.readings.add([Reading(meter, 1, START, 1)])
    desk.meters.remove("grid")
    assert desk.meters.rows() == ()
    assert desk.site.info().readings == 1
    desk.add_meter("grid", "meter", MeterRole.GRID)


@pytest.mark.parametrize("use", ["remove", "set_interval"])
def test_an_unknown_meter_is_named(desk: Desk, use: str) -> None:
    arguments: tuple[object, ...] = ("nix", 1000) if use == "set_interval" else ("nix",)
    with desk.refused("no meter named nix"):
        getattr(desk.meters, use)(*arguments)
