"""Charging points: every register is billed at most once."""

import pytest

from evdesk.domain.meters import MeterRole, Source
from tests.fakes.clock import START
from tests.services.desk import Desk


@pytest.fixture
def parts(desk: Desk) -> Desk:
    """A twin charger, a lamp that only knows states, and a meter; no station yet."""
    desk.add_meter("twin", "twin", MeterRole.GRID)
    desk.add_meter("lamp", "lamp")
    desk.add_meter("meter", "meter", MeterRole.GRID)
    return desk


def test_each_socket_of_a_charger_is_a_point_of_its_own(parts: Desk) -> None:
    left, right = (parts.stations.add(n, f"twin:{n}", f"twin:{n}") for n in ("1", "2"))
    assert left.energy == Source(left.energy.meter_id, 1)
    assert right.energy == Source(left.energy.meter_id, 2)
    assert [row.energy_from for row in parts.stations.rows()] == ["twin", "twin:2"]


def test_energy_and_state_may_come_from_two_devices(parts: Desk) -> None:
    parts.stations.add("bay", "meter", "lamp")
    row = parts.stations.rows()[0]
    assert (row.energy_from, row.state_from) == ("meter", "lamp")


def test_the_point_that_came_with_a_meter_gives_way_to_one_with_a_state(parts: Desk) -> None:
    parts.add_meter("beside", "meter")
    parts.stations.add("beside", "beside", "lamp")
    (row,) = parts.stations.rows()
    assert (row.station.name, row.energy_from, row.state_from) == ("beside", "beside", "lamp")


def test_a_point_with_sessions_or_a_state_never_gives_way(parts: Desk) -> None:
    parts.add_meter("beside", "meter")
    parts.charge(None, station="beside")
    with parts.refused("Station beside takes its energy from there already"):
        parts.stations.add("bay", "beside", "lamp")
    parts.stations.add("left", "twin", "twin")
    with parts.refused("Station left takes its energy from there already"):
        parts.stations.add("bay", "twin", "lamp")


@pytest.mark.parametrize("spelling", ["twin", "twin:1"])
def test_the_same_register_is_never_billed_at_two_points(parts: Desk, spelling: str) -> None:
    parts.stations.add("one", "twin", None)
    with parts.refused("Station one takes its energy from there already"):
        parts.stations.add("two", spelling, None)


def test_a_retired_point_frees_its_register_and_its_name(parts: Desk) -> None:
    parts.stations.add("one", "twin", None)
    parts.stations.retire("one")
    parts.stations.add("one", "twin", None)
    assert sorted(parts.stations.names().values()) == ["one", "one"]


@pytest.mark.parametrize(
    ("name", "energy", "state", "sentence"),
    [
        (" ", "meter", None, "needs a name"),
        ("bay", "nix", None, "no meter named nix"),
        ("bay", "meter", "nix", "no meter named nix"),
        ("bay", "twin:3", None, r"has 2 socket\(s\)"),
        ("bay", "twin:0", None, r"has 2 socket\(s\)"),
        ("bay", "twin:x", None, r"has 2 socket\(s\)"),
        pytest.param("bay", "twin:" + "1" * 5_000, None, r"has 2 socket\(s\)", id="5000 digits"),
        ("bay", "lamp", None, "has no energy register"),
        ("bay", "meter", "meter", "does not tell a state"),
    ],
)
def test_a_point_that_cannot_be_is_refused_with_the_reason(
    parts: Desk, name: str, energy: str, state: str | None, sentence: str
) -> None:
    with parts.refused(sentence):
        parts.stations.add(name, energy, state)


def test_a_name_is_given_once(parts: Desk) -> None:
    parts.stations.add("bay", "meter", None)
    with parts.refused("station named bay exists"):
        parts.stations.add("bay", "twin", None)
    parts.stations.add("other", "twin", None)
    with parts.refused("station named bay exists"):
        parts.stations.rename("other", "bay")
    with parts.refused("needs a name"):
        parts.stations.rename("other", " ")


def test_sessions_follow_their_point_to_its_new_name(desk: Desk) -> None:
    desk.add_meter()
    session = desk.charge(None)
    desk.stations.rename("bay1", "gate")
    assert desk.sessions.detail(session).session.station == "gate"


def test_a_point_with_a_car_is_not_retired(desk: Desk) -> None:
    desk.add_meter()
    desk.charge(None, None)
    with desk.refused("has an open session"):
        desk.stations.retire("bay1")


def test_a_default_driver_holds_from_an_instant_on(desk: Desk) -> None:
    desk.add_meter()
    driver = desk.add_driver()
    desk.stations.set_default_driver("bay1", driver, START)
    assert desk.stations.rows()[0].default_driver == driver
    desk.clock.at = START.replace(year=2025)
    assert desk.stations.rows()[0].default_driver is None


def test_a_default_driver_must_exist(desk: Desk) -> None:
    desk.add_meter()
    with desk.refused("no driver D-9"):
        desk.stations.set_default_driver("bay1", "D-9", START)  # type: ignore[arg-type]
    driver = desk.add_driver()
    with desk.refused("no station named nix"):
        desk.stations.set_default_driver("nix", driver, START)
