"""The simulated depot, read back through the reader: every profile, every fault, both clocks."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from evdesk.devices.connection import NoAnswer
from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.profile_file import load_profiles
from evdesk.devices.simulator import load_scenario, serve
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.instants import to_ms
from evdesk.domain.meters import MeterRole
from evdesk.domain.readings import PilotState, Reading
from evdesk.settings import POLLING, shipped
from tests.devices.support import (
    METERS,
    ONE,
    PROFILES,
    START,
    SetClock,
    WallClock,
    edited_profile,
    meter,
    stepped_site,
)

KNOWN = load_profiles(METERS)
SECOND = 1_000
VISIT = delivering(60 * SECOND, 3_660 * SECOND, 7_200 * SECOND, 11_000)


def bay(profile="heidelberg-energy-control", **changes):
    plain = {"name": "bay", "profile": profile, "sessions": (VISIT,), "initial_wh": 5_000_000}
    return Device(**{**plain, **changes})


def run(main):
    return asyncio.run(main)


# -- every profile --------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_served_and_read_back(profile):
    known = KNOWN[profile]
    phases = "123"[: known.info.phases]

    async def main():
        async with stepped_site(bay(profile, phases=phases)) as site:
            found = [await site.read(second) for second in (0, 1_860, 3_700, 7_300)]
            cycles = [await site.read(1_860 + n / 10) for n in range(len(known.rotation) + 2)]
            return found, cycles

    found, cycles = run(main())
    step = known.info.resolution_wh
    for reading, wh in zip(found, (5_000_000, 5_005_500, 5_011_000, 5_011_000), strict=True):
        if known.info.has_energy:
            assert wh - step < reading.import_wh <= wh
            assert reading.import_raw
        else:
            assert reading.import_wh is None
            assert reading.import_raw == b""
    pilots = [PilotState(letter) if known.info.has_state else None for letter in "ACBA"]
    assert [one.pilot for one in found] == pilots
    check_power(known, phases, [found[1], *cycles])


def check_power(known, phases, readings):
    """Check what is drawn in the middle of the visit, as finely as the registers tell."""
    power = [one.power_w for one in readings if one.power_w is not None]
    register = known.registers.get("active_power_total")
    coarse = 100 if register is None else float(register.scale)
    assert power or register is None
    assert all(watts == pytest.approx(11_000, abs=coarse) for watts in power)
    for phase in range(len(phases)):
        amps = [one.currents_a[phase] for one in readings if one.currents_a[phase] is not None]
        volts = [one.voltages_v[phase] for one in readings if one.voltages_v[phase] is not None]
        assert bool(amps) == (f"current_l{phase + 1}" in known.registers)
        assert bool(volts) == (f"voltage_l{phase + 1}" in known.registers)
        if amps:
            assert amps[0] == pytest.approx(11_000 / len(phases) / 230, rel=0.02, abs=0.5)
        if volts:
            assert volts[0] == pytest.approx(230, rel=0.02)


def test_keba_reads_its_lesser_values_in_turn():
    async def main():
        async with stepped_site(bay("keba-p30")) as site:
            return [await site.read(1_860 + 2 * n) for n in range(16)], site.readers[0].requests

    found, requests = run(main())
    first = ("product_code", "serial_number", "error_code", "rfid_tag", "session_energy")
    assert requests == 16 * 4 + len(first)
    kinds = [
        "P" * (one.power_w is not None)
        + "I" * any(amps is not None for amps in one.currents_a)
        + "V" * any(volts is not None for volts in one.voltages_v)
        or "-"  # a sign in its place
        for one in found
    ]
    assert "".join(kinds) == "PIIIPVVVP-IIIPVV"
    assert [one.signs is not None for one in found] == [n in {0, 9} for n in range(16)]
    assert all(one.pilot is PilotState.C and one.import_wh for one in found)
    assert [one.currents_a.index(a) for one in found[1:4] for a in one.currents_a if a] == [0, 1, 2]


def test_one_phase_draws_on_one_phase():
    visit = delivering(0, 3_600 * SECOND, 3_600 * SECOND, 3_680, "2")

    async def main():
        async with stepped_site(bay("eastron-sdm630", sessions=(visit,))) as site:
            return await site.read(100)

    reading = run(main())
    assert reading.currents_a[0] == reading.currents_a[2] == 0
    assert reading.currents_a[1] * reading.voltages_v[1] == pytest.approx(3_680, rel=0.001)


def test_phases_that_are_not_wired_stay_unread():
    async def main():
        async with stepped_site(bay("eastron-sdm72dm-v2", phases="1")) as site:
            return await site.read(100)

    reading = run(main())
    assert reading.currents_a[1:] == reading.voltages_v[1:] == (None, None)
    assert reading.currents_a[0] > 40


@pytest.mark.parametrize("profile", ["eastron-sdm630", "keba-p30", "heidelberg-energy-control"])
def test_rtu_frames_in_tcp_work_as_well(profile):
    async def main():
        async with stepped_site(bay(profile, is_rtu=True)) as site:
            assert site.urls[0].startswith("rtu-tcp://")
            return await site.read(3_700)

    assert run(main()).import_wh == 5_011_000


def test_several_units_share_a_port():
    devices = [
        bay("eastron-sdm630", name=f"bay {unit}", unit=unit, bus="A", initial_wh=unit * 1_000)
        for unit in (1, 2, 3)
    ]

    async def main():
        async with stepped_site(*devices) as site:
            assert len(set(site.urls)) == 1
            found = [await site.read(0, index) for index in range(3)]
            return [reading.import_wh for reading in found], site.depot.counts()

    found, counts = run(main())
    assert found == [1_000, 2_000, 3_000]
    assert len({row["reads"] for row in counts["devices"]}) == 1
    assert counts["told"] == 1


def test_the_grid_meter_counts_what_all_stations_draw():
    devices = [
        bay("eastron-sdm630", name="one"),
        bay("abb-b23-b24", name="two", base_w=100),
        Device("grid", "carlogavazzi-em330-em340", role=MeterRole.GRID, base_w=500),
    ]

    async def main():
        async with stepped_site(*devices) as site:
            return await site.read(1_860, 2), await site.read(3_660, 2)

    during, after = run(main())
    assert during.power_w == 22_600
    assert after.import_wh == 22_600  # two visits of 11 kWh and 600 W for 61 minutes, in 100 Wh


def test_a_depot_is_told_once_however_many_ports_it_has():
    devices = [bay(name=f"bay {n}") for n in range(6)]

    async def main():
        async with stepped_site(*devices) as site:
            for second in range(5):
                await site.read(second)
                for reader in site.readers[1:]:
                    await reader.read()
            return site.depot.told

    assert run(main()) == 5


def test_equal_instants_give_equal_values_after_a_restart_too():
    async def values():
        async with stepped_site(bay("goe-gemini"), bay("abb-b23-b24", name="two")) as site:
            return [await site.read(second, n) for second in (7, 1_000, 3_000) for n in (0, 1)]

    assert run(values()) == run(values())


# -- devices that want less ------------------------------------------------------------------------


def test_a_device_that_takes_short_requests_only_is_asked_for_less(tmp_path):
    limit = ("max_registers_per_read = 80", "max_registers_per_read = 10")
    edited_profile(tmp_path, "eastron-sdm630", limit, ("bridge_gap = 40", "bridge_gap = 0"))

    async def main():
        async with stepped_site(bay("eastron-sdm630"), served_dir=tmp_path) as site:
            first = await site.read(1_860)
            spent = site.readers[0].requests
            second = await site.read(1_861)
            return first, second, spent, site.readers[0].requests - spent

    first, second, spent, later = run(main())
    for reading in (first, second):
        assert reading.power_w == 11_000
        assert reading.import_wh == pytest.approx(5_005_500, abs=5)
        assert None not in (*reading.currents_a, *reading.voltages_v)
    assert later < spent <= 12


def test_a_lesser_value_the_device_does_not_have_is_left_out(tmp_path):
    lines = ("[[register]]", 'name = "voltage_l3"', "address = 4", 'function = "input"')
    register = "\n".join((*lines, 'type = "f32"', "length = 2", 'unit = "V"', ""))
    edited_profile(
        tmp_path, "eastron-sdm630", (register, ""), ("bridge_gap = 40", "bridge_gap = 0")
    )

    async def main():
        async with stepped_site(bay("eastron-sdm630"), served_dir=tmp_path) as site:
            await site.read(1_860)
            spent = site.readers[0].requests
            reading = await site.read(1_861)
            return reading, site.readers[0].requests - spent, site.readers[0].errors

    reading, later, errors = run(main())
    assert reading.voltages_v[2] is None
    assert None not in (*reading.currents_a, *reading.voltages_v[:2], reading.import_wh)
    assert errors == 0
    assert later <= 6


# -- faults ----------------------------------------------------------------------------------------


def faulty(kind, amount=0, until=120, profile="heidelberg-energy-control", **changes):
    fault = Fault(kind, 100 * SECOND, until and until * SECOND, amount)
    return bay(profile, faults=(fault,), **changes)


@pytest.mark.parametrize(
    ("kind", "amount", "sentence"),
    [
        (FaultKind.SILENCE, 0, "did not answer within 1 s"),
        (FaultKind.SLOW, 4_000, "did not answer within 1 s"),
        (FaultKind.EXCEPTION, 4, r"exception 4 \(device failure\)"),
        (FaultKind.EXCEPTION, 2, r"exception 2 \(illegal address\)"),
        (FaultKind.DROP, 0, "closed the connection"),
        (FaultKind.REFUSE, 0, "closed the connection"),
    ],
)
def test_a_fault_is_an_error_while_it_lasts_and_is_over_after(kind, amount, sentence):
    async def main():
        async with stepped_site(faulty(kind, amount), bay(name="well")) as site:
            assert (await site.read(99)).import_wh
            began = time.monotonic()
            for second in range(100, 120):
                with pytest.raises(DeviceError, match=sentence):
                    await site.read(second)
                assert (await site.readers[1].read())[0].import_wh
            lasted = time.monotonic() - began
            readings = [await site.read(150), await site.read(151)]
            return lasted, readings, site.depot.counts()

    lasted, readings, counts = run(main())
    assert lasted < 2 * POLLING.stepped_timeout_s  # a silence costs one timeout, however long
    assert all(reading.import_wh and reading.power_w for reading in readings)
    if kind is not FaultKind.REFUSE:
        assert counts["devices"][0]["faults"] > 0


def test_a_short_delay_is_only_slow():
    async def main():
        async with stepped_site(faulty(FaultKind.SLOW, 600)) as site:
            await site.read(99)
            began = time.monotonic()
            reading = await site.read(100)
            return reading.import_wh, time.monotonic() - began

    wh, lasted = run(main())
    assert wh == 5_000_122
    assert 0.09 < lasted < 0.4  # 600 ms of 3 s are 100 ms of the 0.5 s of stepped time


def test_a_register_that_is_reset_counts_on_from_zero():
    async def main():
        async with stepped_site(faulty(FaultKind.RESET, until=None)) as site:
            return [(await site.read(second)).import_wh for second in (99, 100, 1_900, 3_700)]

    found = run(main())
    assert found[:2] == [5_000_119, 0]
    assert found[2:] == [5_500, 10_877]  # half an hour at 11 kW, and what was left


def test_a_register_that_is_rewound_goes_back_by_so_much():
    async def main():
        async with stepped_site(faulty(FaultKind.REWIND, 5_000)) as site:
            return [(await site.read(second)).import_wh for second in (99, 100, 119, 120)]

    assert run(main()) == [5_000_119, 4_995_122, 4_995_180, 5_000_183]


@pytest.mark.parametrize("profile", ["abb-b23-b24", "eastron-sdm630", "sunspec-float"])
def test_a_sentinel_is_no_energy_and_no_error(profile):
    async def main():
        async with stepped_site(faulty(FaultKind.SENTINEL, profile=profile)) as site:
            return [await site.read(second) for second in (99, 100, 120)], site.readers[0].errors

    (before, during, after), errors = run(main())
    assert during.import_wh is None
    assert during.import_raw.strip(b"\xff\x7f\xc0\x00") == b""
    assert during.power_w == before.power_w == 11_000
    assert before.import_wh <= after.import_wh
    assert errors == 0


def test_a_port_that_refuses_is_closed_on_the_wall_clock():
    now = [to_ms(START)]
    device = faulty(FaultKind.REFUSE)

    async def main():
        depot = Depot(Scenario((device,), start_at=START), wall_ms=lambda: now[0])
        await depot.start()
        (row,) = depot.addresses()
        devices = ModbusDevices(WallClock(), stepped=False)
        reader = devices.reader(meter(str(row["url"]), device.profile), ONE)
        await reader.read()
        now[0] += 100 * SECOND
        await asyncio.sleep(0.3)
        with pytest.raises(NoAnswer, match="refused the connection"):
            await reader.read()
        now[0] += 100 * SECOND
        await asyncio.sleep(POLLING.backoff_first_s + 0.1)
        await reader.read()
        await devices.close()
        await depot.stop()

    run(main())


def test_a_stepped_depot_keeps_one_port_that_can_be_told_the_time():
    async def main():
        depot = Depot(Scenario((faulty(FaultKind.REFUSE),)), stepped=True)
        with pytest.raises(UserError, match="at least one port must never refuse"):
            await depot.start()

    run(main())


def test_a_unit_that_is_not_there_is_silent():
    async def main():
        async with stepped_site(bay()) as site:
            reader = site.devices.reader(meter(site.urls[0], "heidelberg-energy-control", 9), ONE)
            await site.devices.tell_instant(START)
            with pytest.raises(NoAnswer, match=r"unit 9 did not answer within 1 s"):
                await reader.read()

    run(main())


def test_a_site_whose_clock_stands_still_can_try_again():
    """Stepped time does not move while nothing answers; the wait must end by the wall clock."""

    async def main():
        clock = SetClock()
        devices = ModbusDevices(clock, stepped=True)
        depot = Depot(Scenario((bay(),), start_at=START), stepped=True)
        await depot.start()
        url = str(depot.addresses()[0]["url"])
        await depot.stop()
        reader = devices.reader(meter(url, "heidelberg-energy-control"), ONE)
        await devices.tell_instant(START)
        with pytest.raises(NoAnswer):
            await reader.read()
        await depot.start(int(url.rsplit(":", 1)[1]))
        await asyncio.sleep(POLLING.backoff_first_s + 0.1)
        await devices.tell_instant(START)
        (reading,) = await reader.read()
        await devices.close()
        await depot.stop()
        return reading

    assert run(main()).at == START


# -- serving ---------------------------------------------------------------------------------------


def test_serve_tells_its_addresses_logs_what_it_served_and_counts_it(tmp_path):
    log = tmp_path / "served.jsonl"
    ready: list[list[dict[str, object]]] = []

    async def main():
        stop, listening, clock = asyncio.Event(), asyncio.Event(), SetClock()
        scenario = Scenario((bay("goe-gemini"),), start_at=START)

        def on_ready(addresses):
            ready.append(addresses)
            listening.set()

        task = asyncio.create_task(
            serve(scenario, stepped=True, log=log, on_ready=on_ready, stop=stop)
        )
        await listening.wait()
        devices = ModbusDevices(clock, stepped=True)
        url = str(ready[0][0]["url"])
        reader = devices.reader(meter(url, "goe-gemini"), ONE)
        found: list[Reading] = []
        for second in (0, 1_860, 3_700):
            clock.at = START + timedelta(seconds=second)
            await devices.tell_instant(clock.at)
            found += await reader.read()
        await devices.close()
        stop.set()
        return found, await task

    found, counts = run(main())
    keys = ("name", "profile", "url", "unit", "socket", "phases", "role", "serial")
    assert tuple(ready[0][0]) == keys
    # values; word order; serial number; card and session register in each new state
    reads = 3 + 1 + 1 + 3 * 2
    assert counts["devices"] == [{"name": "bay", "unit": 1, "reads": reads, "faults": 0}]
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [row["register_wh"] for row in rows] == [one.import_wh for one in found]
    assert [bytes.fromhex(row["raw"]) for row in rows] == [one.import_raw for one in found]
    assert [row["state"] for row in rows] == ["A", "C", "B"]
    assert rows[1]["at"] == "2026-03-02T06:31:00Z"


SERVING = """
import asyncio, json
from evdesk.devices.simulator import serve
from evdesk.devices.simulator.scenario import Device, Scenario
tell = lambda rows: print(json.dumps(rows), flush=True)
print(json.dumps(asyncio.run(serve(Scenario((Device("bay", "keba-p30"),)), on_ready=tell))))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(number):
    with subprocess.Popen([sys.executable, "-c", SERVING], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        (row,) = json.loads(child.stdout.readline())
        assert (row["name"], row["unit"]) == ("bay", 255)
        child.send_signal(number)
        counts = json.loads(child.stdout.read())
    assert child.returncode == 0
    assert counts["devices"] == [{"name": "bay", "unit": 255, "reads": 0, "faults": 0}]


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UserError, match=r"missing.served.jsonl cannot be written"):
        run(serve(Scenario((bay(),)), log=tmp_path / "missing" / "served.jsonl"))


def test_a_taken_port_is_named():
    async def main():
        first = Depot(Scenario((bay(),)))
        await first.start()
        port = int(str(first.addresses()[0]["url"]).rsplit(":", 1)[1])
        with pytest.raises(DeviceError, match=f"Port {port} cannot be opened"):
            await Depot(Scenario((bay(),))).start(port)
        await first.stop()

    run(main())


@pytest.mark.parametrize(
    ("devices", "sentence"),
    [
        ((bay("keba-p31"),), "bay: there is no profile 'keba-p31'"),
        ((bay(bus="A"), bay(name="two", bus="A")), "two: the unit 1 is already taken on its bus"),
        ((bay(unit=246),), "bay: the unit 246 is already taken"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(devices, sentence):
    with pytest.raises(UserError, match=sentence):
        Depot(Scenario(devices))


def test_a_wall_clock_depot_is_never_told_the_time():
    async def main():
        depot = Depot(Scenario((bay(),)))
        await depot.start()
        devices = ModbusDevices(SetClock(), stepped=True)
        reader = devices.reader(meter(str(depot.addresses()[0]["url"]), bay().profile), ONE)
        await devices.tell_instant(START)
        with pytest.raises(DeviceError, match="is no simulated depot in stepped time"):
            await reader.read()
        await devices.close()
        await depot.stop()

    run(main())


# -- the sample ------------------------------------------------------------------------------------


def test_the_sample_depot_is_alive_on_every_day_of_its_week():
    scenario = load_scenario(shipped("sample_data") / "depot.toml")
    assert [device.role.value for device in scenario.devices].count("station") == 5

    async def main():
        depot = Depot(scenario, stepped=True)
        clock = SetClock()
        devices = ModbusDevices(clock, stepped=True)
        await depot.start()
        readers = [
            devices.reader(meter(str(a["url"]), str(a["profile"]), int(str(a["unit"]))), ONE)
            for a in depot.addresses()
        ]
        found = []
        for hours in range(0, 7 * 24 + 1, 3):
            clock.at = START + timedelta(hours=hours)
            await devices.tell_instant(clock.at)
            found.append([(await reader.read())[0] for reader in readers])
        await devices.close()
        await depot.stop()
        return found

    found = run(main())
    for number in range(6):
        registers = [cycle[number].import_wh for cycle in found]
        assert registers == sorted(registers)
    gained = [
        after.import_wh - before.import_wh
        for before, after in zip(found[0], found[-1], strict=True)
    ]
    assert min(gained) > 50_000
    assert gained[5] == pytest.approx(sum(gained[:5]) + 640 * 7 * 24, abs=500)


def test_the_exact_energy_of_a_session_is_in_the_difference_of_two_registers():
    visits = tuple(
        delivering(n * 600 * SECOND, (n * 600 + 300) * SECOND, (n * 600 + 500) * SECOND, wh)
        for n, wh in enumerate((Fraction(7_932), Fraction(1, 2), Fraction(33_333)))
    )

    async def main():
        async with stepped_site(bay(sessions=visits)) as site:
            return [(await site.read(second)).import_wh for second in (0, 550, 1_150, 1_750)]

    found = run(main())
    assert [b - a for a, b in pairwise(found)] == [7_932, 0, 33_333]
