"""The fault matrix, registers: each case the field has reported, played to a real collector."""

from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import FaultKind
from evdesk.domain.sessions import Flag, SessionState
from tests.end_to_end.rig import (
    CHARGER,
    WH,
    Blank,
    assert_clean,
    assert_doubted,
    bay,
    box,
    fault,
    rig,
    slow,
    visit,
)

GLITCH, SENTINEL, FLUTTER, FREEZE = (
    FaultKind.GLITCH,
    FaultKind.SENTINEL,
    FaultKind.FLUTTER,
    FaultKind.FREEZE,
)
READ = 10 / 60  # minutes from one read to the next
U32_WH = 2**32
WIDE = "abb-b23-b24"  # a 64-bit counter with a serial number; knows nothing of cars
COARSE = "goe-gemini"  # counts in 100 Wh


# -- start counter not available when the session starts -------------------------------------------


@pytest.mark.parametrize("ends", [5.3, 5.6])
def test_a_start_counter_that_is_late_by_seconds_costs_nothing(
    tmp_path: Path, blank: Blank, ends: float
) -> None:
    with rig(tmp_path, blank, bay(fault(SENTINEL, 5, ends))) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), site.between_wh(4.9, 25))


def test_a_start_counter_that_is_late_by_minutes_begins_at_the_first_valid_read(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SENTINEL, 2, 8))) as site:
        site.collect(until=30)
        found = site.the_session()
        assert found.figures.energy_wh == site.between_wh(8, 25)
        assert Flag.ESTIMATED_START in found.figures.flags


def test_a_counter_first_read_after_the_plug_in_makes_an_estimated_start(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SENTINEL, 0, 5.2))) as site:
        site.collect(until=30)
        found = site.the_session()
        assert found.figures.energy_wh == site.between_wh(5.4, 25)
        assert found.figures.flags == {Flag.ESTIMATED_START}


def test_a_start_counter_that_reads_zero_is_no_baseline(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(GLITCH, 4.9, 5.2, 0))) as site:
        site.collect(until=30)
        found = site.the_session()
        assert found.figures.energy_wh == WH
        assert found.state is SessionState.CLOSED


def test_a_counter_that_never_answers_gives_no_energy_but_a_review(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SENTINEL, 0))) as site:
        site.collect(until=30)
        found = site.the_session()
        assert_doubted(found, Flag.NO_REGISTER)
        assert found.figures.energy_wh is None


# -- counter 0 shortly after charger boot ----------------------------------------------------------


@pytest.mark.parametrize("reads", [2, *slow(1)])
@pytest.mark.parametrize("profile", [CHARGER, "keba-p30", *slow(COARSE)])
def test_a_counter_of_0_shortly_after_boot_is_not_believed(
    tmp_path: Path, blank: Blank, profile: str, reads: int
) -> None:
    zero = fault(GLITCH, 12, 12 + reads * READ, 0)
    with rig(tmp_path, blank, bay(zero, profile=profile)) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), site.between_wh(4.9, 25))


def test_a_counter_of_0_that_stays_for_minutes_and_comes_back_is_looked_at(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(GLITCH, 10, 13, 0))) as site:
        site.collect(until=30)
        counted = site.between_wh(4.9, 9.9) + site.between_wh(13, 25)
        assert_doubted(site.the_session(), Flag.METER_RESET)
        energy_wh = site.the_session().figures.energy_wh
        assert energy_wh is not None
        assert counted <= energy_wh <= WH


# -- sentinel or register garbage ------------------------------------------------------------------


@pytest.mark.parametrize("ends", [10 + READ, 15])
@pytest.mark.parametrize("profile", [CHARGER, *slow("keba-p30", COARSE)])
def test_a_register_that_reads_as_not_available_is_not_a_number(
    tmp_path: Path, blank: Blank, profile: str, ends: float
) -> None:
    with rig(tmp_path, blank, bay(fault(SENTINEL, 10, ends), profile=profile)) as site:
        site.collect(until=30)
        flags = [Flag.COMM_GAP] if ends - 10 > 1 else []
        assert_clean(site.the_session(), site.between_wh(4.9, 25), *flags)


@pytest.mark.parametrize("at", [10, *slow(4.9, 24.9)])
@pytest.mark.parametrize("garbage_wh", [U32_WH, 5_000_000, *slow(2 * U32_WH, 8 * U32_WH, 1)])
def test_register_garbage_is_bounded_by_power_and_time(
    tmp_path: Path, blank: Blank, garbage_wh: int, at: float
) -> None:
    """2^32 Wh and its multiples, 50 kWh too much, almost nothing: before, in and at the end."""
    meter = bay(fault(GLITCH, at, at + 2 * READ, garbage_wh), profile=WIDE)
    with rig(tmp_path, blank, box(), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


def test_register_garbage_that_stays_is_looked_at(tmp_path: Path, blank: Blank) -> None:
    meter = bay(fault(FaultKind.JUMP, 12, None, U32_WH), profile=WIDE)
    with rig(tmp_path, blank, box(), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        counted = site.between_wh(4.9, 11.9) + site.between_wh(12, 25)
        assert_doubted(site.the_session(), Flag.METER_RESET, counted)


# -- tiny decrease ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("profile", "step_wh"), [(CHARGER, 1), (COARSE, 100), (WIDE, 10)])
def test_a_register_that_goes_a_tiny_step_back_and_forth_keeps_its_maximum(
    tmp_path: Path, blank: Blank, profile: str, step_wh: int
) -> None:
    meter = bay(fault(FLUTTER, 0, None, step_wh), profile=profile)
    with rig(tmp_path, blank, box(), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        highest = site.highest_wh(25) - site.highest_wh(4.9)
        assert_clean(site.the_session(), highest)
        assert abs(highest - WH) <= step_wh


# -- a register that stands still ------------------------------------------------------------------


def test_a_register_that_freezes_under_load_is_looked_at(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(FREEZE, 8))) as site:
        site.collect(until=30)
        assert_doubted(site.the_session(), Flag.REGISTER_FROZEN, site.between_wh(4.9, 8))


def test_a_register_that_catches_up_after_standing_still_loses_nothing(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(FREEZE, 8, 9))) as site:
        site.collect(until=30)
        found = site.the_session()
        assert found.figures.energy_wh == WH or found.state is SessionState.REVIEW


def test_a_register_that_counts_less_than_the_power_amounts_to_is_looked_at(
    tmp_path: Path, blank: Blank
) -> None:
    """Only one of the two can be right, and no program knows which."""
    with rig(tmp_path, blank, bay(fault(FaultKind.POWER, 0, None, 110))) as site:
        site.collect(until=30)
        assert_doubted(site.the_session(), Flag.POWER_MISMATCH, WH)


def test_a_power_that_is_a_few_percent_off_is_no_doubt(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(FaultKind.POWER, 0, None, 103))) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


def test_a_coarse_register_that_waits_for_its_next_step_is_no_fault(
    tmp_path: Path, blank: Blank
) -> None:
    weak = visit(5, 65, 1_400, 65)  # 1.4 kW: 100 Wh take over four minutes
    with rig(tmp_path, blank, bay(profile=COARSE, visits=(weak,))) as site:
        site.collect(until=70)
        assert_clean(site.the_session(), site.between_wh(4.9, 65))


# -- wrong counter chosen, phase-wise counters -----------------------------------------------------


@pytest.mark.parametrize("profile", ["eastron-sdm630", "abb-b23-b24", CHARGER])
def test_only_import_is_counted_whatever_other_counters_do(
    tmp_path: Path, blank: Blank, profile: str
) -> None:
    """Import + export, energy since power-on, resettable: each moves differently."""
    meter = bay(profile=profile, export_w=5_000)
    with rig(tmp_path, blank, box(), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        assert_clean(site.the_session(), site.between_wh(4.9, 25))
        assert abs(site.between_wh(4.9, 25) - WH) <= 10


@pytest.mark.parametrize("phases", ["123", "1"])
def test_counters_of_each_phase_are_added_up_over_the_phases_that_are_there(
    tmp_path: Path, blank: Blank, phases: str
) -> None:
    """An older controller without a total: what is not wired reads as not available."""
    device = bay(
        profile="bender-cc6xx",
        choices=(("registers", "legacy"),),
        phases=phases,
        visits=(visit(5, 25, phases=phases),),
    )
    with rig(tmp_path, blank, device) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), site.between_wh(4.9, 25))
        assert site.between_wh(4.9, 25) == WH


def test_a_counter_of_a_phase_that_is_there_and_missing_is_no_zero(
    tmp_path: Path, blank: Blank
) -> None:
    """Taken for 0 it would be a third of the register gone, and back again."""
    missing = fault(SENTINEL, 8, 15)
    device = bay(missing, profile="bender-cc6xx", choices=(("registers", "legacy"),))
    with rig(tmp_path, blank, device) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH, Flag.COMM_GAP)
