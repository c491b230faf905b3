"""A segment gives back exactly what was sealed, and can be read without evdesk."""

import hashlib
import struct
import zlib
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pcodec import standalone

from evdesk.domain.instants import from_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.storage.archived import rows_of
from evdesk.storage.buckets import MINUTE_MS
from evdesk.storage.columns import NUMBERS, Column, Columns, Raws
from evdesk.storage.reading_rows import reading_of, reading_values
from evdesk.storage.segments import Draft, Span, minutes, seal
from tests.storage.archives import any_reading
from tests.storage.sites import START

SOURCE = Source(MeterId(3), 2)
FROM_MS = round(START.timestamp() * 1000)
SPAN = Span(SOURCE, FROM_MS, FROM_MS + 10_800_000, 1)
REST = (
    *("current_l1_ma", "current_l2_ma", "current_l3_ma"),
    *("voltage_l1_dv", "voltage_l2_dv", "voltage_l3_dv", "pilot"),
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


@given(hours)
def test_a_segment_is_decoded_and_proven_by_what_its_description_says(readings):
    """Everything here follows docs/archive.md and uses nothing of evdesk's own decoding."""
    draft = sealed(readings)
    segment, count = draft.segment, draft.segment.readings
    (every, at_ms), power = blob(draft.blobs[0], count)
    register, (lengths, words) = blob(draft.blobs[1], count)
    curve = named("at_ms", (every, at_ms)) + named("power_dw", power)
    raws = b"import_raw\0" + b"".join(struct.pack("<I", n) for n in lengths) + words
    rest = b"".join(map(named, REST, blob(draft.blobs[2], count)))
    head = (
        f"evdesk segment 1\nmeter 3\nsocket 2\nfrom {FROM_MS}\nuntil {FROM_MS + 10_800_000}\n"
        f"part 1\nbucket 60000\nreadings {count}\nfirst {at_ms[0]}\nlast {at_ms[-1]}\n"
    ).encode()
    parts = (curve, named("import_wh", register) + raws, rest, segment.buckets)
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    assert hashlib.sha256(head + digests).digest() == segment.digest
    assert [from_ms(ms) for ms in at_ms] == sorted(one.at for one in readings)


def named(name: str, column) -> bytes:
    bits, values = column
    return b"".join([name.encode(), b"\0", bits, ints(values)])


def ints(values) -> bytes:
    return b"".join(struct.pack("<q", value) for value in values)


def blob(content: bytes, count: int):
    """The columns of a blob: presence bits and values, or lengths and raw bytes."""
    number, offset = content[0], 1 + 9 * content[0]
    for index in range(number):
        kind, first, second = struct.unpack_from("<BII", content, 1 + 9 * index)
        one, two = content[offset : offset + first], content[offset + first :][:second]
        offset += first + second
        yield column(kind, one, two, count)
    assert offset == len(content)


def column(kind: int, one: bytes, two: bytes, count: int):
    if kind in {3, 4}:
        lengths = [int(length) for length in standalone.simple_decompress(one)]
        if kind == 4:
            return lengths, zlib.decompress(two)
        values = iter(standalone.simple_decompress(two) if two else [])
        words = [int(next(values)).to_bytes(8, "big", signed=True)[8 - n :] for n in lengths if n]
        return lengths, b"".join(words)
    every = bytes([255] * (count // 8)) + (bytes([(1 << count % 8) - 1]) if count % 8 else b"")
    bits = {0: bytes(len(every)), 1: every}.get(kind) or zlib.decompress(one)
    return bits, [int(value) for value in standalone.simple_decompress(two)] if two else []


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
