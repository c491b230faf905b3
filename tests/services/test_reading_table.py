"""Readings as a table: the same from rows and from sealed hours; thinned days say so."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from evdesk.documents.tables import HEAD_COLUMN
from evdesk.domain.errors import UserError
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.domain.secrets import Secret
from evdesk.services.reading_table import READING_COLUMNS
from evdesk.services.sealing import Archivist
from tests.fakes.clock import START
from tests.services.desk import Desk
from tests.storage.archives import spoil

DAY = timedelta(days=1)


@pytest.fixture
def busy(desk: Desk) -> Desk:
    desk.add_meter()
    desk.add_meter("bay2")
    readings = [
        Reading(
            *(MeterId(meter), 1, START + timedelta(seconds=60 * n), 1_000 + n, b"\x01\xff", 7.1),
            *((0.001, None, 31.999), (230.1, None, None), PilotState.C),
        )
        for n in range(300)
        for meter in (1, 2)
    ]
    with desk.store.journal() as unit:
        unit.readings.add(readings)
    return desk


def table(desk: Desk, **wanted) -> list[dict[str, Any]]:
    given = {"meter": None, "from_at": None, "to_at": None} | wanted
    data, count, damage = desk.exports.readings(".json", **given)
    rows: list[dict[str, Any]] = json.loads(data)
    assert rows[0].pop(HEAD_COLUMN)  # the one thing that differs from export to export
    assert len(rows) == count + len(damage)
    assert [row["damage"] for row in rows if row["damage"]] == [str(each) for each in damage]
    return rows


def archive(desk: Desk, days: float = 0.5) -> None:
    archivist = Archivist(desk.store)
    for later in (0, 2):
        while archivist.step(START + timedelta(days=days, hours=later)):
            pass


def test_a_reading_is_told_to_its_last_digit(busy: Desk) -> None:
    row = table(busy, meter="bay2")[1]
    assert tuple(row) == READING_COLUMNS
    assert list(row.values()) == [
        *("bay2", 1, "2026-03-02T06:01:00Z", 1_001, "01ff", "7.1", "0.001", None, "31.999"),
        *("230.1", None, None, "C", "no", None),
    ]


def test_the_table_does_not_tell_whether_hours_are_sealed(busy: Desk) -> None:
    before = table(busy)
    archive(busy)
    assert table(busy) == before
    assert len(before) == 600


def test_a_span_and_a_meter_are_chosen(busy: Desk) -> None:
    archive(busy)
    rows = table(busy, meter="bay1", from_at=START + timedelta(hours=1), to_at=START + DAY)
    assert len(rows) == 240
    with pytest.raises(UserError, match="no meter named nix"):
        table(busy, meter="nix")


def test_what_is_left_of_a_thinned_day_says_so(busy: Desk) -> None:
    archive(busy, days=100)
    rows = table(busy)
    assert {row["thinned"] for row in rows} == {"yes"}
    assert len(rows) == 2 * (2 * 20 + 9)  # quarter hours, and what the day began with


def test_a_damaged_hour_costs_no_other_and_has_a_row_of_its_own(
    busy: Desk, folder: Path, new_site: tuple[Path, Secret]
) -> None:
    before = table(busy)
    archive(busy)
    spoil(folder, new_site[1], "register")
    rows = table(busy)
    hour = [row for row in before if row["meter"] == "bay1" and row["at"] < "2026-03-02T07"]
    assert len(hour) == 60
    damaged = rows[0]
    assert rows[1:] == [row for row in before if row not in hour]
    told = {name: value for name, value in damaged.items() if value is not None}
    assert told.pop("damage").startswith("The sealed readings of meter bay1, socket 1, from 2026-")
    assert told == {"meter": "bay1", "socket": 1, "at": "2026-03-02T06:00:00Z"}
    later = table(busy, from_at=START + timedelta(hours=1))
    assert not any(row["damage"] for row in later)
    inside = table(busy, meter="bay1", from_at=START + timedelta(minutes=30))
    assert inside[0]["at"] == "2026-03-02T06:30:00Z"


@pytest.mark.parametrize("suffix", [".pdf", "", ".parquet"])
def test_another_format_is_refused(busy: Desk, suffix: str) -> None:
    with pytest.raises(UserError, match="Readings are exported to"):
        busy.exports.readings(suffix, None, None, None)
