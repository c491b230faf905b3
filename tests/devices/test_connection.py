"""The wire: what is refused, silent, late or wrong, over real sockets."""

import asyncio
import socket
import struct
import time
from itertools import pairwise

import pytest

from evdesk.devices.connection import (
    Connection,
    ExceptionAnswer,
    NoAnswer,
    Quiet,
    Tempo,
    Unreachable,
)
from evdesk.devices.links import REFUSED
from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.plan import Block
from evdesk.devices.profiles import Function
from evdesk.devices.urls import Address
from evdesk.domain.errors import DeviceError, UserError
from evdesk.settings import POLLING, Polling
from tests.devices.support import (
    ONE,
    START,
    SetClock,
    WallClock,
    edited_profile,
    frame,
    meter,
    request_of,
    server,
    wall_devices,
    words,
)


@pytest.fixture
def quick():
    """Requests that fail fast and may be tried again at once, on the wall clock."""
    return Polling(timeout_s=0.15, backoff_first_s=0.02, backoff_last_s=0.02, reconnect_s=0.02)


def reader_on(devices, port, unit=1, profile="heidelberg-energy-control", scheme="tcp"):
    choices = {"heidelberg-energy-control": {"layout": "1.0.7"}, "keba-p30": {"meter": "inside"}}
    url = f"{scheme}://127.0.0.1:{port}"
    chosen = choices.get(profile)  # so that a device need not be asked
    return devices.reader(meter(url, profile, unit, choices=chosen), ONE)


def heidelberg(wh, state=7):
    """The 14 registers from 5 on."""
    return [state, 160, 160, 160, 250, 230, 231, 229, 1, 11040, 0, 0, *divmod(wh, 65536)]


async def answering(reader, writer, wh=1000):
    while True:
        tid, unit, pdu = await request_of(reader)
        writer.write(frame(tid, unit, words(pdu[0], *heidelberg(wh))))


def run(main):
    return asyncio.run(main)


def test_a_refused_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    async def main():
        async with wall_devices() as devices:
            with pytest.raises(Unreachable) as caught:
                await reader_on(devices, port).read()
            return str(caught.value)

    assert run(main()) == f"127.0.0.1 port {port} {REFUSED}."


def test_a_dead_port_is_not_hammered_but_tried_again():
    connections = 0

    async def counting(reader, writer):
        nonlocal connections
        connections += 1

    async def main():
        async with server(counting) as port, wall_devices() as devices:
            reader = reader_on(devices, port)
            for _ in range(20):
                with pytest.raises(NoAnswer, match=r"closed the connection|cannot be reached"):
                    await reader.read()
            assert connections == 1
            assert reader.errors == 1
            await asyncio.sleep(POLLING.backoff_first_s + 0.05)
            with pytest.raises(NoAnswer):
                await reader.read()
            assert connections == 2

    run(main())


def test_silence_ends_with_the_timeout_and_a_new_connection(quick):
    connections = 0

    async def silent_once(reader, writer):
        nonlocal connections
        connections += 1
        if connections == 1:
            await request_of(reader)
            await asyncio.sleep(5)
        await answering(reader, writer)

    async def main():
        async with server(silent_once) as port, wall_devices(polling=quick) as devices:
            reader = reader_on(devices, port)
            with pytest.raises(NoAnswer, match=r"unit 1 did not answer within 0.15 s"):
                await reader.read()
            await asyncio.sleep(0.05)
            (reading,) = await reader.read()
            assert (reading.import_wh, connections, reader.errors, reader.requests) == (
                1000,
                2,
                1,
                2,
            )

    run(main())


def test_a_late_answer_is_not_taken_for_the_next_one(quick):
    """The first answer comes after its timeout, with the values of then."""
    served = 0

    async def late(reader, writer):
        nonlocal served
        while True:
            tid, unit, pdu = await request_of(reader)
            served += 1
            if served == 1:
                await asyncio.sleep(0.25)
                writer.write(frame(tid, unit, words(pdu[0], *heidelberg(1111))))
                await asyncio.sleep(0.05)
            else:
                writer.write(frame(tid, unit, words(pdu[0], *heidelberg(2222))))

    async def main():
        async with server(late) as port, wall_devices(polling=quick) as devices:
            reader = reader_on(devices, port)
            with pytest.raises(NoAnswer):
                await reader.read()
            await asyncio.sleep(0.05)
            (reading,) = await reader.read()
            assert reading.import_wh == 2222
            await asyncio.sleep(0.3)
            (reading,) = await reader.read()
            assert reading.import_wh == 2222

    run(main())


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda tid, unit, pdu: frame(tid + 1, unit, pdu), "sent the answer to another request"),
        (lambda tid, unit, pdu: frame(tid, unit + 1, pdu), "sent the answer to another request"),
        (
            lambda tid, unit, pdu: frame(tid, unit, b"\x03" + pdu[1:]),
            "answered with another function",
        ),
        (lambda tid, unit, pdu: frame(tid, unit, words(4, 1, 2)), "answered with another length"),
        (
            lambda tid, unit, pdu: frame(tid, unit, pdu[:1] + b"\x04" + pdu[2:]),
            "answered with another length",
        ),
        (lambda tid, unit, pdu: frame(tid, unit, pdu) * 2, "sent what is no Modbus frame"),
        (
            lambda tid, unit, pdu: b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "sent what is no Modbus frame",
        ),
        (lambda tid, unit, pdu: b"", "closed the connection"),
    ],
)
def test_an_answer_that_cannot_be_right_costs_the_connection(damage, sentence, quick):
    connections = 0

    async def damaged(reader, writer):
        nonlocal connections
        connections += 1
        tid, unit, pdu = await request_of(reader)
        if connections > 1:
            writer.write(frame(tid, unit, words(pdu[0], *heidelberg(5))))
            await answering(reader, writer)
        answer = damage(tid, unit, words(pdu[0], *heidelberg(5)))
        writer.write(answer)
        await writer.drain()
        if answer:
            await asyncio.sleep(5)

    async def main():
        async with server(damaged) as port, wall_devices(polling=quick) as devices:
            reader = reader_on(devices, port)
            with pytest.raises(NoAnswer) as caught:
                await reader.read()
            assert sentence in str(caught.value)
            assert f"127.0.0.1 port {port} unit 1" in str(caught.value)
            await asyncio.sleep(0.05)
            (reading,) = await reader.read()
            assert (reading.import_wh, connections) == (5, 2)

    run(main())


FRAGILE = ("min_request_gap_ms = 100", "min_request_gap_ms = 0\none_client = true")


def test_a_fragile_stack_keeps_its_connection_over_a_late_answer(tmp_path):
    """The answer that comes late is known by its number and thrown away."""
    edited_profile(tmp_path, "heidelberg-energy-control", FRAGILE)
    polling = Polling(timeout_s=0.15, backoff_first_s=0.02, backoff_last_s=0.02)
    connections, served = 0, 0

    async def late_once(reader, writer):
        nonlocal connections, served
        connections += 1
        while True:
            tid, unit, pdu = await request_of(reader)
            served += 1
            await asyncio.sleep(0.25 if served == 1 else 0)
            writer.write(frame(tid, unit, words(pdu[0], *heidelberg(1_000 + served))))

    async def main():
        async with server(late_once) as port, wall_devices(tmp_path, polling) as devices:
            reader = reader_on(devices, port)
            with pytest.raises(NoAnswer, match=r"did not answer within 0\.15 s"):
                await reader.read()
            await asyncio.sleep(0.2)
            return (await reader.read())[0].import_wh

    assert run(main()) == 1_002
    assert connections == 1


def test_a_fragile_stack_that_hangs_up_is_left_alone_for_long(tmp_path):
    edited_profile(tmp_path, "heidelberg-energy-control", FRAGILE)
    polling = Polling(
        backoff_first_s=0.02, backoff_last_s=0.02, reconnect_s=0.02, fragile_reconnect_s=0.5
    )
    connections = []

    async def one_answer(reader, writer):
        connections.append(time.monotonic())
        tid, unit, pdu = await request_of(reader)
        writer.write(frame(tid, unit, words(pdu[0], *heidelberg(7))))

    async def main():
        async with server(one_answer) as port, wall_devices(tmp_path, polling) as devices:
            reader, found = reader_on(devices, port), []
            for _ in range(70):
                try:
                    found += await reader.read()
                except NoAnswer as error:
                    told.add(str(error).replace(str(port), "PORT"))
                await asyncio.sleep(0.02)
            return len(found)

    told: set[str] = set()
    assert run(main()) == len(connections) in {3, 4}
    assert min(later - earlier for earlier, later in pairwise(connections)) >= 0.5
    (sentence,) = told
    assert sentence == (
        "127.0.0.1 port PORT closed the connection and bears no quick return: it is tried again"
        " 0.5 s after the last time."
    )


def test_an_answer_in_pieces_is_put_together():
    async def slowly(reader, writer):
        while True:
            tid, unit, pdu = await request_of(reader)
            for byte in frame(tid, unit, words(pdu[0], *heidelberg(77))):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)

    async def main():
        async with server(slowly) as port, wall_devices() as devices:
            (reading,) = await reader_on(devices, port).read()
            assert reading.import_wh == 77

    run(main())


def test_data_nobody_asked_for_costs_the_connection(quick):
    connections = 0

    async def chatty(reader, writer):
        nonlocal connections
        connections += 1
        tid, unit, pdu = await request_of(reader)
        writer.write(frame(tid, unit, words(pdu[0], *heidelberg(connections))))
        await asyncio.sleep(0.05)
        writer.write(frame(tid + 1, unit, words(pdu[0], *heidelberg(999))))
        await asyncio.sleep(5)

    async def main():
        async with server(chatty) as port, wall_devices(polling=quick) as devices:
            reader = reader_on(devices, port)
            assert (await reader.read())[0].import_wh == 1
            await asyncio.sleep(0.15)
            assert (await reader.read())[0].import_wh == 2
            assert reader.errors == 0

    run(main())


@pytest.mark.parametrize(
    ("code", "name"),
    [(4, "device failure"), (6, "device busy"), (11, "gateway no response"), (99, "unknown code")],
)
def test_an_exception_is_named_and_the_connection_kept(code, name):
    connections = 0

    async def refusing(reader, writer):
        nonlocal connections
        connections += 1
        while True:
            tid, unit, pdu = await request_of(reader)
            writer.write(frame(tid, unit, bytes((pdu[0] | 0x80, code))))

    async def main():
        async with server(refusing) as port, wall_devices() as devices:
            reader = reader_on(devices, port, unit=7)
            for _ in range(2):
                with pytest.raises(ExceptionAnswer) as caught:
                    await reader.read()
            assert str(caught.value) == (
                f"127.0.0.1 port {port} unit 7 answered with exception {code} ({name})."
            )
            assert (connections, reader.errors) == (1, 2)

    run(main())


def test_two_units_of_a_bus_are_never_asked_in_parallel():
    open_requests, most = 0, 0

    async def slow(reader, writer):
        nonlocal open_requests, most
        while True:
            tid, unit, pdu = await request_of(reader)
            open_requests += 1
            most = max(most, open_requests)
            await asyncio.sleep(0.01)
            open_requests -= 1
            writer.write(frame(tid, unit, words(pdu[0], *heidelberg(unit))))

    async def main():
        async with server(slow) as port, wall_devices() as devices:
            readers = [reader_on(devices, port, unit) for unit in (1, 2, 3)]
            found = await asyncio.gather(*(reader.read() for reader in readers))
            assert [reading.import_wh for (reading,) in found] == [1, 2, 3]
            assert most == 1

    run(main())


def test_the_gap_between_requests_is_kept_also_from_unit_to_unit():
    """A gap that was lost in a refactoring made meters restart elsewhere; here a test holds it."""
    asked: list[float] = []
    answered: list[float] = []

    async def timing(reader, writer):
        while True:
            tid, unit, pdu = await request_of(reader)
            asked.append(time.monotonic())
            await asyncio.sleep(0.02)
            writer.write(frame(tid, unit, words(pdu[0], *heidelberg(1))))
            answered.append(time.monotonic())

    async def main():
        async with server(timing) as port, wall_devices() as devices:
            first, second = reader_on(devices, port, 1), reader_on(devices, port, 2)
            for reader in (first, first, second, first):
                await reader.read()

    run(main())
    gaps = [ask - answer for ask, answer in zip(asked[1:], answered, strict=False)]
    assert min(gaps) >= 0.1 - 0.005  # min_request_gap_ms = 100
    assert max(gaps) < 0.3


def test_keba_is_asked_every_half_second_at_most(tmp_path):
    edited_profile(tmp_path, "keba-p30", ("min_request_gap_ms = 500", "min_request_gap_ms = 80"))
    asked: list[tuple[float, int]] = []

    async def keba(reader, writer):
        while True:
            tid, unit, pdu = await request_of(reader)
            asked.append((time.monotonic(), struct.unpack(">H", pdu[1:3])[0]))
            writer.write(frame(tid, unit, words(pdu[0], 0, 3)))

    async def main():
        async with server(keba) as port, wall_devices(tmp_path) as devices:
            reader = reader_on(devices, port, 255, "keba-p30")
            plan = [(await reader.read())[0] for _ in range(2)]
            assert reader.cycle_ms == 10 * 80  # cheap enough to ask for all
            assert plan[0].power_w is not None

    run(main())
    gaps = sorted(later - earlier for (earlier, _), (later, _) in pairwise(asked))
    assert gaps[len(gaps) // 5] >= 0.08 - 0.005  # a busy computer hands some over late
    assert [address for _, address in asked[:3]] == [1000, 1004, 1008]


def test_rtu_frames_in_tcp_are_read_and_their_checksum_is_checked(quick):
    from pymodbus.framer import FramerRTU

    broken = 0

    async def converter(reader, writer):
        nonlocal broken
        while True:
            unit, function, *_ = struct.unpack(">BBHHH", await reader.readexactly(8))
            body = bytes([unit]) + words(function, *heidelberg(4242))
            crc = FramerRTU.compute_CRC(body)
            broken += 1
            writer.write(body + (crc ^ (broken == 1)).to_bytes(2, "big"))

    async def main():
        async with server(converter) as port, wall_devices(polling=quick) as devices:
            reader = reader_on(devices, port, scheme="rtu-tcp")
            with pytest.raises(NoAnswer, match="sent what is no Modbus frame"):
                await reader.read()
            await asyncio.sleep(0.05)
            assert (await reader.read())[0].import_wh == 4242

    run(main())


def test_a_cancelled_read_leaves_no_answer_behind(quick):
    served = 0

    async def slow_once(reader, writer):
        nonlocal served
        while True:
            tid, unit, pdu = await request_of(reader)
            served += 1
            await asyncio.sleep(0.1 if served == 1 else 0)
            writer.write(frame(tid, unit, words(pdu[0], *heidelberg(served))))

    async def main():
        async with server(slow_once) as port, wall_devices(polling=quick) as devices:
            reader = reader_on(devices, port)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(), 0.03)
            await asyncio.sleep(0.15)
            assert (await reader.read())[0].import_wh == 2

    run(main())


def test_a_stepped_site_reads_simulated_depots_only():
    async def main():
        async with server(answering) as port:
            devices = ModbusDevices(SetClock(), stepped=True)
            reader = reader_on(devices, port)
            await devices.tell_instant(START)
            with pytest.raises(DeviceError, match="is no simulated depot in stepped time"):
                await reader.read()
            with pytest.raises(UserError, match="simulated devices on this computer only"):
                devices.reader(meter("tcp://192.0.2.1", "keba-p30"), ONE)
            await devices.close()

    run(main())


def test_one_port_speaks_one_way():
    async def main():
        async with wall_devices() as devices:
            reader_on(devices, 5020)
            with pytest.raises(UserError, match=r"is already read as tcp://127\.0\.0\.1:5020"):
                reader_on(devices, 5020, scheme="rtu-tcp")

    run(main())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"profile": "keba-p31"}, "There is no device profile 'keba-p31'"),
        ({"unit": 256}, "The unit 256 is not within 0 and 255"),
        ({"scheme": "tpc"}, "the scheme 'tpc'"),
    ],
)
def test_a_reader_that_cannot_be_is_refused(change, sentence):
    devices = ModbusDevices(WallClock(), stepped=False)
    with pytest.raises(UserError, match=sentence):
        reader_on(devices, 5020, **change)


def test_a_socket_the_device_does_not_have_is_refused():
    devices = ModbusDevices(WallClock(), stepped=False)
    with pytest.raises(UserError, match=r"has 1 socket\(s\), not a socket 2"):
        devices.reader(meter("tcp://127.0.0.1:5020", "keba-p30"), frozenset({1, 2}))


def test_bits_are_read_as_words_of_nought_and_one():
    async def coils(reader, writer):
        tid, unit, pdu = await request_of(reader)
        assert pdu == bytes.fromhex("01 0013 000a")
        writer.write(frame(tid, unit, bytes.fromhex("01 02 cd 01")))
        await asyncio.sleep(1)

    async def main():
        async with server(coils) as port:
            tempo = Tempo(asyncio.get_running_loop().time, 1.0, keeps_gaps=True)
            connection = Connection(Address("127.0.0.1", port, is_rtu=False), tempo)
            block = Block(Function.COIL, 0x13, 10, ())
            async with connection.lock:
                data = await connection.read(1, block, 0, Quiet())
            connection.drop()
            return struct.unpack(">10H", data)

    assert run(main()) == (1, 0, 1, 1, 0, 0, 1, 1, 1, 0)
