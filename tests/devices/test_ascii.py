"""Modbus ASCII: frames of text, checked; and a device that sleeps until it is asked twice."""

import asyncio
import os
import struct
import tty

import pytest

from evdesk.devices.connection import NoAnswer
from evdesk.domain.errors import DeviceError
from evdesk.domain.readings import PilotState
from evdesk.settings import Polling
from tests.devices.support import ONE, edited_profile, meter, server, wall_devices, words
from tests.fakes.terminals import needs_terminals

CHARGING = {4: [0x02C2], 48: [159, 160, 161]}
QUICK = Polling(timeout_s=0.4, backoff_first_s=0.02, backoff_last_s=0.02, reconnect_s=0.02)


def text_of(unit, pdu):
    """Return a frame by the letter of the specification (V1.02, 2.5.2)."""
    body = bytes([unit]) + pdu
    checksum = -sum(body) & 0xFF
    return b":" + (body + bytes([checksum])).hex().upper().encode() + b"\r\n"


def asked(line):
    """Return unit, function, address and count of a request; its checksum must be right."""
    assert line[:1] == b":"
    assert line[-2:] == b"\r\n"
    body = bytes.fromhex(line[1:-2].decode("ascii"))
    assert sum(body) & 0xFF == 0
    return struct.unpack(">BBHH", body[:-1])


def answer_to(line):
    unit, function, address, _ = asked(line)
    return text_of(unit, words(function, *CHARGING[address]))


def test_a_frame_is_as_the_specification_shows_it():
    """247, function 3, registers 0x13 and on: its LRC is the two's complement of the sum."""
    assert text_of(0xF7, bytes.fromhex("031389000A")) == b":F7031389000A60\r\n"


def read(handle, times=1, profile="abl-emh1", folder=None):
    async def main():
        async with server(handle) as port, wall_devices(folder, polling=QUICK) as devices:
            reader = devices.reader(meter(f"ascii-tcp://127.0.0.1:{port}", profile), ONE)
            found = [(await reader.read())[0] for _ in range(times)]
            return found, reader.requests

    return asyncio.run(main())


def test_a_charger_that_speaks_text_is_read_and_asked_twice():
    lines = []

    async def awake(reader, writer):
        while True:
            lines.append(await reader.readuntil(b"\r\n"))
            writer.write(answer_to(lines[-1]))

    (found,), requests = read(awake)
    assert (found.pilot, found.currents_a) == (PilotState.C, (16.1, 16.0, 15.9))
    assert (found.import_wh, found.power_w) == (None, None)
    assert requests == len(lines) == 4
    assert [asked(line)[2] for line in lines] == [4, 4, 48, 48]


def test_a_sleeping_charger_may_leave_the_first_request_unanswered():
    count = 0

    async def asleep(reader, writer):
        nonlocal count
        while True:
            line = await reader.readuntil(b"\r\n")
            count += 1
            if count % 2 == 0:
                writer.write(answer_to(line))

    found, _ = read(asleep, 2)
    assert [one.pilot for one in found] == [PilotState.C] * 2


def test_noise_and_answers_of_others_are_no_answer():
    async def noisy(reader, writer):
        while True:
            line = await reader.readuntil(b"\r\n")
            unit, function, address, _ = asked(line)
            right = answer_to(line)
            wrong_sum = right[:-4] + b"00\r\n"
            writer.write(b"\xff\0:0" + wrong_sum + text_of(unit + 1, words(function, 1)))
            writer.write(text_of(unit, words(4, *CHARGING[address])) + b":XY03\r\n")
            await asyncio.sleep(0.01)
            writer.write(right[:7])
            await asyncio.sleep(0.01)
            writer.write(right[7:])

    (found,), _ = read(noisy)
    assert found.currents_a == (16.1, 16.0, 15.9)


def test_a_refusal_in_text_is_a_refusal():
    async def refusing(reader, writer):
        while True:
            unit, function, *_ = asked(await reader.readuntil(b"\r\n"))
            writer.write(text_of(unit, bytes([function | 0x80, 2])))

    with pytest.raises(DeviceError, match="illegal address"):
        read(refusing)


def test_a_stream_that_is_no_frame_ends_with_the_timeout_or_says_so():
    async def babbling(reader, writer):
        while True:
            await reader.readuntil(b"\r\n")
            writer.write(b":" + b"0" * 2_000)

    with pytest.raises(NoAnswer, match="damaged answer"):
        read(babbling)


@needs_terminals
def test_text_goes_over_a_serial_port_too(tmp_path):
    """At the other end of a pseudo-terminal stands the charger."""
    folder = tmp_path / "meters"
    edited_profile(folder, "abl-emh1", ("asks_twice = true\n", ""))
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    held = bytearray()

    def serve():
        held.extend(os.read(ours, 1_000))
        while b"\r\n" in held:
            line, _, rest = bytes(held).partition(b"\r\n")
            held[:] = rest
            os.write(ours, answer_to(line + b"\r\n"))

    async def main():
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, serve)
        try:
            async with wall_devices(folder, polling=QUICK) as devices:
                url = f"ascii://{os.ttyname(theirs)}?baud=38400&parity=E"
                return (await devices.reader(meter(url, "abl-emh1"), ONE).read())[0]
        finally:
            loop.remove_reader(ours)

    try:
        found = asyncio.run(main())
    finally:
        os.close(ours)
        os.close(theirs)
    assert (found.pilot, found.currents_a) == (PilotState.C, (16.1, 16.0, 15.9))
