"""A segment gives back exactly what was sealed, and can be read without evdesk."""

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.storage.archived import rows_of
from evdesk.storage.buckets import MINUTE_MS
from evdesk.storage.columns import NUMBERS, Column, Columns, Raws
from evdesk.storage.reading_rows import reading_of, reading_values
from evdesk.storage.segments import Draft, Segment, Span, minutes, seal
from tests.storage.archives import any_reading
from tests.storage.sites import START

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Source(MeterId(3), 2)
FROM_MS = round(START.timestamp() * 1000)
SPAN = Span(SOURCE, FROM_MS, FROM_MS + 10_800_000, 1)
IN_A_ROW = (
    *("at_ms", "import_wh", "import_raw", "power_dw"),
    *("current_l1_ma", "current_l2_ma", "current_l3_ma"),
    *("voltage_l1_dv", "voltage_l2_dv", "voltage_l3_dv"),
)
hours = st.lists(any_reading, min_size=1, max_size=200, unique_by=lambda one: one.at)


def columns_of(readings: list[Reading]) -> Columns:
    ordered = sorted(readings, key=lambda one: one.at)
    _, _, at_ms, wh, raws, *rest, pilot = zip(*map(reading_values, ordered), strict=True)
    codes = [None if letter is None else ord(letter) for letter in pilot]
    numbers = zip(NUMBERS, (wh, *rest, codes), strict=True)
    return Columns(np.array(at_ms, np.int64), {n: Column.of(c) for n, c in numbers}, Raws.of(raws))


def sealed(readings: list[Reading]) -> Draft:
    columns = columns_of(readings)
    return seal(SPAN, MINUTE_MS, columns, minutes(columns))


@given(hours)
def test_any_readings_come_back_as_they_were(readings):
    draft = sealed(readings)
    columns = draft.segment.columns(draft.blobs)
    found = [reading_of(row) for row in rows_of(SOURCE, columns, slice(None))]
    assert found == [
        replace(one, meter_id=SOURCE.meter_id, socket=SOURCE.socket)
        for one in sorted(readings, key=lambda one: one.at)
    ]


@given(hours, st.data())
def test_one_other_value_gives_another_digest(readings, data):
    chosen = data.draw(st.integers(0, len(readings) - 1))
    old = readings[chosen]
    change = data.draw(
        st.sampled_from(
            [
                {"import_wh": (old.import_wh or 0) + 1},
                {"import_raw": old.import_raw + b"\0"},
                {"power_w": None if old.power_w is not None else 0.0},
                {"pilot": PilotState.A if old.pilot is not PilotState.A else None},
                {"voltages_v": (*old.voltages_v[:2], (old.voltages_v[2] or 0.0) + 0.1)},
            ]
        )
    )
    other = [*readings[:chosen], replace(old, **change), *readings[chosen + 1 :]]
    assert sealed(other).segment.digest != sealed(readings).segment.digest


class Described:
    """The decoder that docs/archive.md shows."""

    def __init__(self) -> None:
        text = (ROOT / "docs" / "archive.md").read_text(encoding="utf-8")
        names: dict[str, Any] = {}
        exec(text.split("```python\n")[1].split("```")[0], names)
        self.read = names["read"]

    def readings(self, draft: Draft) -> list[Reading]:
        one = draft.segment
        row = vars_of(one) | {
            "meter_id": one.span.source.meter_id,
            "socket": one.span.source.socket,
            "from_ms": one.span.from_ms,
            "until_ms": one.span.until_ms,
            "part": one.span.part,
        }
        found = self.read(row, dict(zip(("curve", "register", "rest"), draft.blobs, strict=True)))
        pilots = [None if code is None else chr(code) for code in found["pilot"]]
        ids = [SOURCE.meter_id] * one.readings, [SOURCE.socket] * one.readings
        columns = [found[name] for name in IN_A_ROW]
        return [reading_of(each) for each in zip(*ids, *columns, pilots, strict=True)]


def vars_of(segment: Segment) -> dict[str, Any]:
    return {each.name: getattr(segment, each.name) for each in dataclass_fields(segment)}


@pytest.fixture(scope="module")
def described() -> Described:
    return Described()


@given(readings=hours)
def test_a_segment_is_decoded_and_proven_as_it_is_described(described, readings):
    found = described.readings(sealed(readings))
    assert found == [
        replace(one, meter_id=SOURCE.meter_id, socket=SOURCE.socket)
        for one in sorted(readings, key=lambda one: one.at)
    ]


def test_the_described_decoder_notices_another_value(described):
    draft = sealed([Reading(SOURCE.meter_id, 2, START + timedelta(seconds=n), n) for n in range(9)])
    other = sealed(
        [Reading(SOURCE.meter_id, 2, START + timedelta(seconds=n), n + 1) for n in range(9)]
    )
    with pytest.raises(ValueError, match="not what was sealed"):
        described.readings(replace(draft, blobs=other.blobs))


@pytest.mark.parametrize("size", [0, 1, 4, 8, 9, 40])
def test_raw_words_of_any_length_come_back(size):
    raws = [bytes([number] * size) if number % 3 else b"" for number in range(9)]
    readings = [
        Reading(SOURCE.meter_id, SOURCE.socket, START + timedelta(seconds=n), None, words)
        for n, words in enumerate(raws)
    ]
    draft = sealed(readings)
    assert list(draft.segment.columns(draft.blobs).raws.items()) == raws


@given(st.data())
def test_damaged_bytes_are_a_value_error_or_change_nothing(data):
    draft = sealed([Reading(SOURCE.meter_id, 2, START + timedelta(seconds=n), n) for n in range(9)])
    whole = draft.segment.columns(draft.blobs)
    number = data.draw(st.integers(0, 2))
    spoiled = bytearray(draft.blobs[number])
    position = data.draw(st.integers(0, len(spoiled) - 1))
    spoiled[position] ^= data.draw(st.integers(1, 255))
    try:
        curve, register, rest = (
            bytes(spoiled) if number == place else blob for place, blob in enumerate(draft.blobs)
        )
        found = draft.segment.columns((curve, register, rest))
    except ValueError:
        return
    assert found.same(whole)
