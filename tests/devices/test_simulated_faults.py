"""The faults of simulated devices, read back: registers that lie, cards, answers that cross."""

import asyncio

import pytest

from evdesk.devices.connection import NoAnswer
from evdesk.devices.simulator import load_scenario
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind
from evdesk.domain.errors import UserError
from evdesk.domain.readings import PilotState, Reading
from tests.devices.support import stepped_site

SECOND = 1_000
INITIAL_WH, U32_WH = 5_000_000, 2**32
HOUR_AT_11_KW = delivering(60 * SECOND, 3_660 * SECOND, 7_200 * SECOND, 11_000, tag="04A1B2C3")
HEIDELBERG, KEBA, ABB = "heidelberg-energy-control", "keba-p30", "abb-b23-b24"


def bay(*faults: Fault, profile: str = HEIDELBERG, **more: object) -> Device:
    plain: dict[str, object] = {"initial_wh": INITIAL_WH, **more}
    return Device("bay", profile, sessions=(HOUR_AT_11_KW,), faults=faults, **plain)  # type: ignore[arg-type]


def fault(
    kind: FaultKind, begins_s: int, ends_s: int | None = None, amount: int = 0, **more: object
) -> Fault:
    ends = None if ends_s is None else ends_s * SECOND
    return Fault(kind, begins_s * SECOND, ends, amount, **more)  # type: ignore[arg-type]


def read(device: Device, *seconds: float) -> list[Reading]:
    """Return the readings of a device at these seconds after the start."""

    async def main() -> list[Reading]:
        async with stepped_site(device) as site:
            return [await site.read(second) for second in seconds]

    return asyncio.run(main())


def registers(device: Device, *seconds: float) -> list[int | None]:
    return [reading.import_wh for reading in read(device, *seconds)]


def test_a_glitch_shows_what_it_says_and_then_what_was_counted() -> None:
    device = bay(fault(FaultKind.GLITCH, 10, 20, 0), fault(FaultKind.GLITCH, 30, 40, 77))
    assert registers(device, 9, 10, 19, 20, 35, 40) == [
        INITIAL_WH, 0, 0, INITIAL_WH, 77, INITIAL_WH,
    ]  # fmt: skip


def test_a_frozen_register_catches_up() -> None:
    device = bay(fault(FaultKind.FREEZE, 1_860, 2_760))
    found = registers(device, 1_860, 2_759, 2_760)
    assert found == [INITIAL_WH + 5_500, INITIAL_WH + 5_500, INITIAL_WH + 8_250]


def test_a_register_that_flutters_is_too_low_at_times_and_never_too_high() -> None:
    device = bay(fault(FaultKind.FLUTTER, 0, None, 100))
    found = registers(device, *range(40))
    assert set(found) == {INITIAL_WH, INITIAL_WH - 100}
    assert 5 < found.count(INITIAL_WH) < 35


def test_steps_of_a_register_follow_one_another() -> None:
    device = bay(
        fault(FaultKind.JUMP, 10, None, 1_000),
        fault(FaultKind.REWIND, 20, None, 300),
        fault(FaultKind.RESET, 30),
        fault(FaultKind.JUMP, 40, None, 5),
    )
    found = registers(device, 9, 10, 20, 30, 40)
    assert found == [INITIAL_WH, INITIAL_WH + 1_000, INITIAL_WH + 700, 0, 5]


def test_a_counter_begins_at_0_after_the_end_of_its_range() -> None:
    found = registers(bay(initial_wh=U32_WH - 1_000), 0, 3_700)
    assert found == [U32_WH - 1_000, 10_000]


def test_another_meter_has_its_own_register_and_serial_number() -> None:
    device = bay(fault(FaultKind.REPLACE, 1_860, None, 70, serial=222), profile=ABB, serial=111)

    async def main() -> list[Reading]:
        async with stepped_site(device) as site:
            before = await site.read(1_850)
            await site.devices.close()
            return [before, await site.read(1_860), await site.read(3_700)]

    before, after, last = asyncio.run(main())
    assert [one.signs.serial for one in (before, after) if one.signs] == ["111", "222"]
    assert (after.import_wh, last.import_wh) == (70, 5_570)


def test_a_serial_number_may_read_wrong_alone() -> None:
    (reading,) = read(bay(fault(FaultKind.SERIAL, 0, None, serial=9), profile=ABB, serial=1), 5)
    assert reading.signs is not None
    assert (reading.signs.serial, reading.import_wh) == ("9", INITIAL_WH)


def test_a_power_may_read_wrong_alone() -> None:
    (reading,) = read(bay(fault(FaultKind.POWER, 0, None, 110)), 1_860)
    assert reading.power_w == pytest.approx(12_100, abs=1)
    assert reading.import_wh == INITIAL_WH + 5_500


def test_a_state_may_read_as_any_number() -> None:
    device = bay(fault(FaultKind.STATE, 100, 110, 9), fault(FaultKind.STATE, 110, 120, 77))
    assert [reading.pilot for reading in read(device, 99, 100, 110, 120)] == [
        PilotState.C, PilotState.E, None, PilotState.C,
    ]  # fmt: skip


def session_wh(device: Device, second: float) -> int | None:
    (reading,) = read(device, second)
    return None if reading.signs is None else reading.signs.session_wh


@pytest.mark.parametrize(
    ("kind", "shown_wh"),
    [
        (None, 8_250),
        (FaultKind.SESSION_RESET, 2_750),
        (FaultKind.SESSION_FREEZE, 5_500),
        (FaultKind.SESSION_LIFETIME, INITIAL_WH + 8_250),
    ],
)
def test_the_chargers_own_session_register_lies_alone(
    kind: FaultKind | None, shown_wh: int
) -> None:
    """Half an hour after it began to lie the car has 8,250 Wh, whatever is shown."""
    faults = () if kind is None else (fault(kind, 1_860),)
    assert session_wh(bay(*faults, profile=KEBA), 2_760) == shown_wh
    assert registers(bay(*faults, profile=KEBA), 2_760) == [INITIAL_WH + 8_250]


def test_a_charger_shows_the_card_while_a_car_is_there() -> None:
    (charging,), (away,) = read(bay(profile=KEBA), 100), read(bay(profile=KEBA), 7_300)
    assert charging.signs is not None
    assert charging.signs.tag == "04A1B2C3"
    assert away.signs is None or not away.signs.tag


def test_counters_of_export_and_of_both_ways_move_on_their_own() -> None:
    (reading,) = read(bay(profile="eastron-sdm630", export_w=3_000), 3_700)
    assert reading.import_wh == INITIAL_WH + 11_000


@pytest.mark.parametrize("is_rtu", [False, True])
def test_crossed_answers_are_refused(*, is_rtu: bool) -> None:
    device = bay(fault(FaultKind.CROSSED, 10), profile=ABB, is_rtu=is_rtu)

    async def main() -> None:
        async with stepped_site(device) as site:
            await site.read(5)
            with pytest.raises(NoAnswer):
                await site.read(10)

    asyncio.run(main())


def test_a_fault_may_be_of_one_register() -> None:
    refused = fault(FaultKind.EXCEPTION, 0, None, 2, register="voltage_l1")
    (reading,) = read(bay(refused), 100)
    assert reading.voltages_v[0] is None
    assert reading.voltages_v[1] is not None
    assert reading.import_wh is not None


# -- scenario files --------------------------------------------------------------------------------

SCENARIO = """schema_version = 1
[[device]]
name = "bay"
profile = "keba-p30"
export_w = 20
[[device.session]]
plug_in = "01:00"
unplug = "02:00"
power_w = 11_000
tag = "04A1B2C3"
[[device.fault]]
from = "00:00"
{fault}
"""


def told(tmp_path, text: str) -> Fault:
    path = tmp_path / "depot.toml"
    path.write_text(SCENARIO.replace("{fault}", text), encoding="utf-8")
    (device,) = load_scenario(path).devices
    assert (device.export_w, device.sessions[0].tag) == (20, "04A1B2C3")
    (found,) = device.faults
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('kind = "crossed"', Fault(FaultKind.CROSSED, 0)),
        ('kind = "jump"\nwh = 5', Fault(FaultKind.JUMP, 0, None, 5)),
        ('kind = "glitch"\nwh = 0', Fault(FaultKind.GLITCH, 0, None, 0)),
        ('kind = "freeze"', Fault(FaultKind.FREEZE, 0)),
        ('kind = "flutter"\nwh = 100', Fault(FaultKind.FLUTTER, 0, None, 100)),
        ('kind = "power"\npercent = 90', Fault(FaultKind.POWER, 0, None, 90)),
        ('kind = "state"\nraw = 4', Fault(FaultKind.STATE, 0, None, 4)),
        ('kind = "serial"\nserial = 7', Fault(FaultKind.SERIAL, 0, serial=7)),
        ('kind = "replace"\nwh = 3\nserial = 7', Fault(FaultKind.REPLACE, 0, None, 3, 7)),
        ('kind = "session_reset"', Fault(FaultKind.SESSION_RESET, 0)),
        (
            'kind = "exception"\ncode = 2\nregister = "state"',
            Fault(FaultKind.EXCEPTION, 0, None, 2, register="state"),
        ),
    ],
)
def test_a_scenario_file_tells_every_fault(tmp_path, text: str, found: Fault) -> None:
    assert told(tmp_path, text) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('kind = "jump"', "'wh' is missing"),
        ('kind = "replace"\nwh = 3', "'serial' is missing"),
        ('kind = "freeze"\nwh = 3', "unknown key 'wh'"),
        ('kind = "slow"\ndelay_ms = 5\nregister = "state"', "unknown key 'register'"),
        ('kind = "power"\npercent = 2_000', "percent = 2000 is not within 0 and 1000"),
    ],
)
def test_a_fault_that_says_too_little_or_too_much_is_refused(
    tmp_path, text: str, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        told(tmp_path, text)


@pytest.mark.parametrize("tag", ["04A1", "04a1b2c3", "card 7"])
def test_a_card_is_written_in_hexadecimal_digits(tmp_path, tag: str) -> None:
    path = tmp_path / "depot.toml"
    text = SCENARIO.replace("{fault}", 'kind = "crossed"').replace("04A1B2C3", tag)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="is not 4 to 10 bytes like 04A1B2C3"):
        load_scenario(path)
