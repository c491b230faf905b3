"""Devices: added with or without an answer, never half."""

import asyncio
from dataclasses import replace

import pytest

from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.meters import MeterRole, MeterState, MeterStatus, NewMeter
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Decided, ProfileChoice, ProfileOption
from evdesk.services.cautions import CautionCode, cautions, check_choices, has_energy
from tests.fakes.clock import START
from tests.fakes.devices import profile
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


# -- what a person should know --------------------------------------------------------------------

KIND = ProfileChoice(
    key="kind",
    about="There are two kinds.",
    default="old",
    by_device=False,
    options=(
        ProfileOption("old", "", has_energy=True),
        ProfileOption("bare", "", has_energy=False),
    ),
)
METER = ProfileChoice(
    key="meter",
    about="It tells whether a meter is inside.",
    default=None,
    by_device=True,
    options=(
        ProfileOption("inside", "", has_energy=True),
        ProfileOption("none", "", has_energy=False),
    ),
)
BOX = replace(profile("box"), choices=(KIND, METER))
READ = Reading(MeterId(0), 1, START, 5)


def known(
    chosen: dict[str, str], decided: dict[str, bool], *readings: Reading, bills: bool = True
) -> list[CautionCode]:
    new = replace(NEW, profile="box", choices=chosen)
    said = [Decided(key, "any", by_device) for key, by_device in decided.items()]
    return [one.code for one in cautions(new, BOX, said, readings, bills=bills)]


def test_a_choice_that_nobody_made_is_told_until_somebody_does() -> None:
    assert known({}, {}, READ) == [CautionCode.BY_DEFAULT]
    assert known({"kind": "old"}, {}, READ) == []
    (told,) = cautions(NEW, replace(BOX, choices=(KIND,)), [], [READ], bills=True)
    assert told.facts == {
        "name": "bay1",
        "choice": "kind",
        "about": "There are two kinds.",
        "default": "old",
        "options": ["old", "bare"],
    }


def test_a_choice_that_the_device_makes_is_told_where_it_did_not() -> None:
    asked = replace(KIND, by_device=True)
    box = replace(BOX, choices=(asked,))
    told = Decided("kind", "old", by_device=True)
    silent: list[Reading] = []
    assert cautions(NEW, box, [told], [READ], bills=True) == ()
    assert len(cautions(NEW, box, [], [READ], bills=True)) == 1
    assert cautions(NEW, box, [], silent, bills=True) == ()  # it is asked when it answers


def test_a_register_that_says_nothing_is_told() -> None:
    empty = replace(READ, import_wh=None)
    assert known({"kind": "old"}, {}, empty) == [CautionCode.NO_ENERGY]
    assert known({"kind": "old"}, {}, empty, bills=False) == []
    assert known({"kind": "old"}, {}) == []  # it did not answer


def test_a_box_that_people_or_the_device_know_to_count_nothing_bills_nothing() -> None:
    assert has_energy(BOX, {})
    assert not has_energy(BOX, {"kind": "bare"})
    assert not has_energy(BOX, {"kind": "old", "meter": "none"})
    assert not has_energy(replace(BOX, has_energy=False), {})


def test_a_choice_that_there_is_not_is_refused(desk: Desk) -> None:
    with pytest.raises(UserError, match=r"box has no choice kind=new. It has: kind=old or bare; m"):
        check_choices({"kind": "new"}, BOX)
    with desk.refused("charger has no choice kind=old. It has: none"):
        asyncio.run(desk.meters.add(replace(NEW, choices={"kind": "old"})))
    assert desk.meters.rows() == ()


def test_further_sockets_are_told(desk: Desk) -> None:
    added = desk.add_meter("twin", "twin")
    assert [one.code for one in added.warnings] == [CautionCode.SOCKETS]
    assert added.warnings[0].facts == {"name": "twin", "sockets": 2}
