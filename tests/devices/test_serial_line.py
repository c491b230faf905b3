"""Serial lines, over pseudo-terminals: pace, silence, noise, and ports that are not there."""

import asyncio
import grp  # noqa: F401 - loaded while we still may; see without_rights
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import serial
from serial.tools import list_ports  # noqa: F401 - as grp

from evdesk.devices.connection import NoAnswer, Unreachable
from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.plan import Block
from evdesk.devices.profiles import Function
from evdesk.devices.serial_line import why_not
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.listening import Links
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.devices.tempo import Quiet
from evdesk.devices.urls import Address, Line
from evdesk.domain.errors import UserError
from evdesk.settings import Polling
from tests.devices.lines import Slave, line_depot, readers_of, rtu, slave
from tests.devices.support import ONE, START, SetClock, meter, wall_devices, words
from tests.fakes.terminals import needs_terminals

pytestmark = needs_terminals

QUICK = Polling(
    line_timeout_s=0.15, backoff_first_s=0.02, backoff_last_s=0.02, reconnect_s=0.02
)  # fmt: skip
BLOCK = Block(Function.INPUT, 5, 1, ())
HEIDELBERG = "heidelberg-energy-control"  # one request of 14 registers, 100 ms of quiet


def bay(unit, profile=HEIDELBERG, **changes):
    plain = {"name": f"bay {unit}", "profile": profile, "unit": unit, "bus": "line"}
    return Device(**{**plain, "initial_wh": unit * 1_000, **changes})


def heidelberg(wh, state=7):
    """The 14 registers from 5 on."""
    return [state, 160, 160, 160, 250, 230, 231, 229, 1, 11040, 0, 0, *divmod(wh, 65536)]


def answered(request, wh):
    """Return the answer of a Heidelberg to a request."""
    return rtu(request[0], words(request[1], *heidelberg(wh)))


def reader_on(devices, path, unit=1, options="", profile=HEIDELBERG):
    url, chosen = f"rtu://{path}{options}", {"layout": "1.0.7"}  # so that it need not be asked
    return devices.reader(meter(url, profile, unit, number=unit, choices=chosen), ONE)


def run(main):
    return asyncio.run(main)


# -- reading --------------------------------------------------------------------------------------


def test_many_units_of_one_line_are_read():
    async def main():
        async with line_depot(*(bay(unit) for unit in (1, 2, 247))) as depot:
            urls = {row["url"] for row in depot.addresses()}
            async with wall_devices() as devices:
                readers = readers_of(devices, depot)
                found = await asyncio.gather(*(reader.read() for reader in readers))
        assert len(urls) == len({reader.bus for reader in readers}) == 1
        return [reading.import_wh for (reading,) in found]

    assert run(main()) == [1_000, 2_000, 247_000]


def test_bytes_take_the_time_they_take_at_9600_baud():
    """8 bytes there, 33 back, at 960 a second, and the silence by which a device knows the end."""
    wanted_s = (8 + 33) / 960 + 3.5 * 11 / 9_600

    async def main():
        async with line_depot(bay(1), baud=9_600) as depot, wall_devices() as devices:
            assert str(depot.addresses()[0]["url"]).endswith("?baud=9600&parity=N&stop=1")
            (reader,) = readers_of(devices, depot)
            await reader.read()
            took = []
            for _ in range(5):
                await asyncio.sleep(0.11)  # its own quiet has passed
                began = time.perf_counter()
                await reader.read()
                took.append(time.perf_counter() - began)
            return min(took)

    assert wanted_s <= run(main()) < wanted_s + 0.015


def test_a_frame_is_followed_by_the_silence_of_three_and_a_half_bytes():
    last = []

    def at_once(far, request):
        far.write(rtu(request[0], words(request[1], *([0] * request[5]))))
        last.append(far.now())

    async def main():
        async with slave(at_once) as far, wall_devices() as devices:
            connection = devices._connection(_address(far.path, 1_200))
            async with connection.lock:
                for _ in range(6):
                    await connection.read(1, BLOCK, 0, Quiet())
            return far.requests

    requests = run(main())
    gaps = [at - sent for (at, _), sent in zip(requests[1:], last, strict=False)]
    assert min(gaps) >= 3.5 * 11 / 1_200 - 0.001
    assert max(gaps) < 3.5 * 11 / 1_200 + 0.05


def test_the_quiet_of_a_device_is_kept_on_a_line_also_from_unit_to_unit():
    """A gap that was lost in a refactoring made meters restart elsewhere; here a test holds it."""
    sent = []

    def slowly(far, request):
        far.write_later(0.02, answered(request, 1))
        sent.append(far.now() + 0.02)

    async def main():
        async with slave(slowly) as far, wall_devices() as devices:
            first, second = reader_on(devices, far.path, 1), reader_on(devices, far.path, 2)
            for reader in (first, first, second, first):
                await reader.read()
            return far.requests

    requests = run(main())
    gaps = [at - before for (at, _), before in zip(requests[1:], sent, strict=False)]
    assert min(gaps) >= 0.1 - 0.005  # min_request_gap_ms = 100
    assert max(gaps) < 0.3


def test_two_units_of_a_line_are_never_asked_in_parallel():
    waiting = 0

    def slowly(far, request):
        nonlocal waiting
        assert waiting == 0
        waiting += 1

        def answer():
            nonlocal waiting
            waiting -= 1
            far.write(answered(request, request[0]))

        asyncio.get_running_loop().call_later(0.01, answer)

    async def main():
        async with slave(slowly) as far, wall_devices() as devices:
            readers = [reader_on(devices, far.path, unit) for unit in (1, 2, 3)]
            found = await asyncio.gather(*(reader.read() for reader in readers))
            return [reading.import_wh for (reading,) in found]

    assert run(main()) == [1, 2, 3]


def test_a_demo_site_reads_a_simulated_line_in_stepped_time():
    async def main():
        scenario = Scenario(devices=(bay(1), bay(2)), start_at=START)
        depot = Depot(scenario, stepped=True, links=Links(pty=True))
        await depot.start()
        devices = ModbusDevices(SetClock(), stepped=True)
        try:
            await devices.tell_instant(START)
            readers = readers_of(devices, depot)
            return [(await reader.read())[0].import_wh for reader in readers], depot.told
        finally:
            await devices.close()
            await depot.stop()

    assert run(main()) == ([1_000, 2_000], 1)


# -- noise ----------------------------------------------------------------------------------------


def test_what_came_before_a_request_is_thrown_away():
    def answer(far, request):
        far.write(answered(request, 5))

    async def main():
        async with slave(answer) as far, wall_devices(polling=QUICK) as devices:
            reader = reader_on(devices, far.path)
            far.write(b"left over from before the port was opened")
            for _ in range(3):
                assert (await reader.read())[0].import_wh == 5
                far.write(answered(b"\1\4", 999))  # nobody has asked
                await asyncio.sleep(0.02)
            assert reader.errors == 0

    run(main())


@pytest.mark.parametrize("before", [b"\0", b"\xff\x00\x01\x04", b"\x01\x04\x1c"])
def test_noise_before_an_answer_does_no_harm(before):
    def answer(far, request):
        far.write(before)
        far.write_later(0.02, answered(request, 5))

    async def main():
        async with slave(answer) as far, wall_devices() as devices:
            return (await reader_on(devices, far.path).read())[0].import_wh

    assert run(main()) == 5


def test_an_adapter_that_hears_itself_does_no_harm():
    def answer(far, request):
        far.write(request)
        far.write_later(0.02, answered(request, 5))

    async def main():
        async with slave(answer) as far, wall_devices() as devices:
            return (await reader_on(devices, far.path).read())[0].import_wh

    assert run(main()) == 5


def test_the_late_answer_of_one_unit_is_not_taken_for_the_next_one():
    def late(far, request):
        unit = request[0]
        if unit == 1:
            far.write_later(0.2, answered(request, 1_111))
        else:
            far.write_later(0.08, answered(request, 2_222))

    async def main():
        async with slave(late) as far, wall_devices(polling=QUICK) as devices:
            first, second = reader_on(devices, far.path, 1), reader_on(devices, far.path, 2)
            with pytest.raises(NoAnswer, match=r"unit 1 did not answer within 0.15 s"):
                await first.read()
            for _ in range(2):
                assert (await second.read())[0].import_wh == 2_222
            assert second.errors == 0

    run(main())


def test_a_damaged_answer_costs_neither_the_port_nor_the_whole_timeout():
    broken = 0

    def damaged(far, request):
        nonlocal broken
        broken += 1
        frame = bytearray(answered(request, 5))
        frame[20] ^= 4 if broken == 1 else 0
        far.write(bytes(frame))

    async def main():
        async with slave(damaged) as far, wall_devices() as devices:
            reader = reader_on(devices, far.path)
            connection = devices._connection(_address(far.path))
            began = time.perf_counter()
            with pytest.raises(
                NoAnswer, match=r"unit 1 sent a damaged answer \(wiring, termination"
            ):
                await reader.read()
            assert time.perf_counter() - began < 0.5
            await asyncio.sleep(1.05)
            assert (await reader.read())[0].import_wh == 5
            assert connection.generation == 1

    run(main())


def test_noise_without_an_answer_is_told_from_silence():
    """What a device at another speed sounds like."""

    async def main():
        async with (
            slave(lambda far, request: far.write(b"\xf8\x00\x3f\x07" * 9)) as far,
            wall_devices(polling=QUICK) as devices,
        ):
            with pytest.raises(NoAnswer) as caught:
                await reader_on(devices, far.path).read()
            return str(caught.value).partition(" unit ")[2]

    assert run(main()) == (
        "1 did not answer within 0.15 s, but something did: another speed or parity, or another"
        " master on the line."
    )


def test_an_answer_of_another_length_is_refused():
    def short(far, request):
        far.write(rtu(request[0], words(request[1], 1, 2)))

    async def main():
        async with slave(short) as far, wall_devices(polling=QUICK) as devices:
            with pytest.raises(
                NoAnswer, match="unit 1 answered with another length than was asked"
            ):
                await reader_on(devices, far.path).read()

    run(main())


def test_a_line_where_nothing_answers_is_opened_anew():
    """An adapter that has hung itself up comes back that way."""

    async def main():
        async with slave(lambda far, request: None) as far, wall_devices(polling=QUICK) as devices:
            reader = reader_on(devices, far.path)
            generations = []
            for _ in range(4):
                with pytest.raises(NoAnswer, match="did not answer"):
                    await reader.read()
                generations.append(devices._connection(_address(far.path)).generation)
                await asyncio.sleep(0.05)
            return generations

    assert run(main()) == [1, 1, 1, 2]


def test_a_request_may_have_a_limit_of_its_own():
    """A scan asks many units that are not there."""

    def only_seven(far, request):
        if request[0] == 7:
            far.write(rtu(7, words(request[1], 42)))

    async def main():
        async with slave(only_seven) as far, wall_devices() as devices:
            connection = devices._connection(_address(far.path))
            found = []
            began = time.perf_counter()
            async with connection.lock:
                for unit in range(1, 10):
                    with suppress(NoAnswer):
                        await connection.read(unit, BLOCK, 0, Quiet(), timeout_s=0.05)
                        found.append(unit)
            assert time.perf_counter() - began < 3
            assert connection.generation == 1
            return found

    assert run(main()) == [7]


# -- the port -------------------------------------------------------------------------------------


def failure_of(path, options=""):
    async def main():
        async with wall_devices(polling=QUICK) as devices:
            with pytest.raises(Unreachable) as caught:
                await reader_on(devices, path, options=options).read()
            return str(caught.value)

    return run(main())


def test_a_port_that_is_not_there_is_named():
    told = failure_of("/dev/ttyUSB99")
    assert told.startswith("/dev/ttyUSB99 is not there: it is unplugged or has another name (this")


def test_what_is_no_serial_port_is_told_apart(tmp_path):
    (tmp_path / "file").write_text("x")
    assert failure_of(tmp_path / "file") == f"{tmp_path / 'file'} is no serial port."


def test_a_port_of_another_program_is_left_alone():
    async def main():
        async with slave(lambda far, request: None) as far:
            other = serial.Serial(far.path, exclusive=True)
            try:
                async with wall_devices(polling=QUICK) as devices:
                    with pytest.raises(Unreachable) as caught:
                        await reader_on(devices, far.path).read()
                return far.path, str(caught.value)
            finally:
                other.close()

    path, told = run(main())
    assert told == (
        f"{path} is in use by another program: end that one first (often a monitoring tool or a"
        " second evdesk)."
    )


@contextmanager
def without_rights(path):
    """Make a port ours no longer; the administrator is nobody for that long."""
    is_root = os.geteuid() == 0
    mode = Path(path).stat().st_mode
    Path(path).chmod(0)
    if is_root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        Path(path).chmod(mode)


def test_a_port_that_may_not_be_used_is_explained():
    async def main():
        async with slave(lambda far, request: None) as far:
            with without_rights(far.path):
                async with wall_devices(polling=QUICK) as devices:
                    with pytest.raises(Unreachable) as caught:
                        await reader_on(devices, far.path).read()
            return far.path, str(caught.value)

    path, told = run(main())
    assert told.startswith(f"{path} may not be used by this account: add it to the group ")
    assert told.endswith("NAME), then log in anew.")
    assert "sudo usermod -aG" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("could not open port 'COM7': FileNotFoundError(2, 'not found', None, 2)", "is not there"),
        ("could not open port 'COM7': PermissionError(13, 'Access is denied.')", "is in use by"),
        ("Cannot configure port: OSError(22, 'A device which does not exist')", "cannot be opened"),
    ],
)
def test_windows_says_it_in_other_words(text, told):
    assert why_not("COM7", serial.SerialException(text)).startswith(told)


def test_a_port_that_is_unplugged_is_read_again_when_it_is_back(tmp_path):
    """The path is a link, as udev makes them, that leads elsewhere after the return."""
    path = tmp_path / "usb-adapter"

    async def main():
        async with wall_devices(polling=QUICK) as devices:
            async with line_depot(bay(1)) as depot:
                path.symlink_to(_path_of(depot))
                reader = reader_on(devices, path)
                assert (await reader.read())[0].import_wh == 1_000
            path.unlink()
            told = []
            for _ in range(3):
                with pytest.raises(NoAnswer) as caught:
                    await reader.read()
                told.append(str(caught.value))
                await asyncio.sleep(0.03)
            async with line_depot(bay(1, initial_wh=1_234)) as depot:
                path.symlink_to(_path_of(depot))
                await asyncio.sleep(0.05)
                assert (await reader.read())[0].import_wh == 1_234
            return told

    _, *told = run(main())  # the first may have been asked just before it was noticed
    assert all(" is not there: it is unplugged" in each for each in told)


def test_a_port_that_is_unplugged_in_the_middle_of_an_answer_is_noticed_at_once():
    def leave(far, request):
        far.write(answered(request, 5)[:9])
        asyncio.get_running_loop().call_later(0.02, far.close)

    async def main():
        far = Slave(leave)
        async with wall_devices() as devices:
            began = time.perf_counter()
            with pytest.raises(NoAnswer, match="unit 1 failed or was unplugged"):
                await reader_on(devices, far.path).read()
            return time.perf_counter() - began

    assert run(main()) < 0.5


def test_one_port_has_one_speed_whatever_it_is_called(tmp_path):
    async def main():
        async with slave(lambda far, request: far.write(answered(request, 5))) as far:
            other = tmp_path / "by-id"
            other.symlink_to(far.path)
            async with wall_devices() as devices:
                first, second = reader_on(devices, far.path, 1), reader_on(devices, other, 2)
                await asyncio.gather(first.read(), second.read())
                with pytest.raises(UserError, match=r"is already read as rtu:///.*baud=9600"):
                    reader_on(devices, far.path, 3, "?baud=19200")

    run(main())


def test_nobody_answers_for_unit_0_of_a_line():
    devices = ModbusDevices(SetClock(), stepped=False)
    with pytest.raises(UserError, match="On a serial line unit 0 speaks to all at once"):
        reader_on(devices, "/dev/ttyUSB0", 0)


def test_a_silent_unit_of_a_line_costs_its_own_timeout_only():
    silent = Fault(FaultKind.SILENCE, 0)

    async def main():
        units = (bay(1), bay(2, faults=(silent,)), bay(3))
        async with line_depot(*units) as depot, wall_devices(polling=QUICK) as devices:
            readers = readers_of(devices, depot)
            began = time.perf_counter()
            first, second, third = (asyncio.create_task(reader.read()) for reader in readers)
            with pytest.raises(NoAnswer):
                await second
            assert [(await task)[0].import_wh for task in (first, third)] == [1_000, 3_000]
            took_s = time.perf_counter() - began
        assert took_s < 0.15 + 1.0

    run(main())


def _path_of(depot):
    return depot.addresses()[0]["url"].removeprefix("rtu://").partition("?")[0]


def _address(path, baud=9_600):
    return Address(path, 0, is_rtu=True, line=Line(baud))
