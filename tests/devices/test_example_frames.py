"""Frames recorded between other makers' programs are cut and read as their logs say."""

import csv

import pytest
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from evdesk.devices.connection import exception_name
from evdesk.devices.simulator.wire import make_framer


@pytest.fixture
def frames(shared_data):
    path = shared_data / "vec_modbus" / "modbus_example_frames.csv"
    if not path.is_file():
        pytest.skip("needs the recorded Modbus frames of the public test data")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_recorded_frame_is_one_frame(frames):
    answers = FramerSocket(DecodePDU(is_server=False))
    assert len(frames) == 48
    for row in frames:
        framer = make_framer(is_rtu=False) if row["direction"] == "req" else answers
        data = bytes.fromhex(row["mbap_frame_hex"])
        used, unit, tid, pdu = framer.decode(data)
        assert (used, unit, tid) == (len(data), int(row["unit_id"]), int(row["transaction_id"]))
        assert pdu[0] == int(row["function_code"])
        for short in range(len(data)):
            assert framer.decode(data[:short])[0] == 0


def test_recorded_register_answers_hold_what_was_asked_for(frames):
    asked = {r["transaction_id"]: bytes.fromhex(r["mbap_frame_hex"])[7:] for r in frames[:16:2]}
    reads = [r for r in frames[:16] if r["direction"] == "resp" and r["function_code"] in "34"]
    assert len(reads) == 4
    for row in reads:
        pdu = bytes.fromhex(row["mbap_frame_hex"])[7:]
        count = int.from_bytes(asked[row["transaction_id"]][3:5], "big")
        assert pdu[1] == 2 * count == len(pdu) - 2


def test_the_recorded_exception_has_a_name(frames):
    refused = next(row for row in frames if int(row["function_code"]) == 0x83)
    assert exception_name(bytes.fromhex(refused["mbap_frame_hex"])[8]) == "illegal address"
