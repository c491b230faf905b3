"""A real working day of an office's chargers, replayed from socket to session."""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from evdesk.devices.simulator.loads import Session, delivering
from evdesk.devices.simulator.scenario import Device, Scenario
from tests.end_to_end.places import collect, depot, make_site, sessions

INTERVAL_S = 30
DAY = datetime(2019, 12, 9, 8, 0, tzinfo=UTC)  # midnight in Los Angeles
# Which charger stands at which of the eight spaces, and the resolution of its register.
CHARGERS = ("heidelberg-energy-control",) * 6 + ("keba-p30", "goe-gemini")
RESOLUTION_WH = {"heidelberg-energy-control": 1, "keba-p30": 1, "goe-gemini": 100}


@dataclass(frozen=True)
class Visit:
    """One session of the data set."""

    station: str
    arrive: datetime
    done: datetime
    depart: datetime
    wh: Decimal


def visits_of(data: Path, day: datetime) -> list[Visit]:
    text = (data / "sessions_acn" / "office001_2019_2021_raw.json").read_text()
    found = []
    for item in json.loads(text, parse_float=Decimal)["_items"]:
        arrive = parsedate_to_datetime(item["connectionTime"])
        if day <= arrive < day + timedelta(days=1):
            depart = parsedate_to_datetime(item["disconnectTime"])
            done = parsedate_to_datetime(item["doneChargingTime"] or item["disconnectTime"])
            wh = Decimal(item["kWhDelivered"]) * 1000
            found.append(Visit(item["stationID"], arrive, min(done, depart), depart, wh))
    return sorted(found, key=lambda visit: visit.arrive)


def office(visits: list[Visit]) -> Scenario:
    stations = sorted({visit.station for visit in visits})
    devices = tuple(
        Device(
            name=station,
            profile=profile,
            initial_wh=1_000_000,
            sessions=tuple(load(visit) for visit in visits if visit.station == station),
        )
        for station, profile in zip(stations, CHARGERS, strict=False)
    )
    return Scenario(devices=devices, start_at=DAY)


def load(visit: Visit) -> Session:
    arrive, done, depart = (
        (at - DAY) // timedelta(milliseconds=1) for at in (visit.arrive, visit.done, visit.depart)
    )
    return delivering(arrive, done, depart, visit.wh)


@pytest.mark.timeout(300)
def test_a_real_day_gives_its_sessions_with_the_energy_of_the_data_set(
    tmp_path: Path, shared_data: Path
) -> None:
    visits = visits_of(shared_data, DAY)
    last = max(visit.depart for visit in visits)
    with depot(office(visits), tmp_path) as served:
        opened = make_site(
            tmp_path / "site", DAY, served, INTERVAL_S * 1000, tz="America/Los_Angeles"
        )
        collect(opened, (last - DAY).total_seconds() + 60)
    registers = served.registers()
    profiles = {str(device["name"]): str(device["profile"]) for device in served.devices}
    with closing(opened.services.store):
        found = sessions(opened)
    assert len(found) == len(visits) >= 10
    for visit, session in zip(visits, found, strict=True):
        check(visit, session, registers[visit.station], profiles[visit.station])


def check(visit: Visit, session: dict[str, object], served: dict[str, int], profile: str) -> None:
    start, end = str(session["plugged_in_at"]), str(session["unplugged_at"])
    first = served[max(at for at in served if at < start)]
    assert (session["station"], session["state"]) == (visit.station, "closed")
    assert session["energy_wh"] == served[end] - first
    energy_wh = session["energy_wh"]
    assert isinstance(energy_wh, int)
    assert abs(energy_wh - visit.wh) <= RESOLUTION_WH[profile]
    interval = timedelta(seconds=INTERVAL_S)
    assert timedelta() <= datetime.fromisoformat(start) - visit.arrive <= interval
    assert timedelta() <= datetime.fromisoformat(end) - visit.depart <= interval
