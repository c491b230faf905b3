"""Requests: as few as a device allows, and what a cycle costs."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evdesk.devices.plan import plan_blocks, plan_cycle, split_block
from evdesk.devices.profile_file import load_profiles
from tests.devices.support import METERS, PROFILES

KNOWN = load_profiles(METERS)


def spans(profile, phases="123"):
    return [(block.address, block.count) for block in plan_cycle(KNOWN[profile], phases).always]


def test_one_request_carries_what_lies_together():
    assert spans("eastron-sdm630") == [(0, 74)]
    assert spans("eastron-sdm72dm-v2") == [(0, 12), (52, 22)]
    assert spans("carlogavazzi-em330-em340") == [(0, 18), (40, 14)]
    assert spans("heidelberg-energy-control") == [(5, 14)]
    assert spans("goe-gemini") == [(100, 30)]


def test_keba_gets_state_cable_and_energy_each_time_and_one_more_in_turn():
    plan = plan_cycle(KNOWN["keba-p30"], "123")
    assert [block.address for block in plan.always] == [1000, 1004, 1036]
    assert [next(iter(block.names())) for block in plan.rotating] == [
        *("active_power_total", "current_l1", "current_l2", "current_l3"),
        *("active_power_total", "voltage_l1", "voltage_l2", "voltage_l3"),
    ]
    assert plan.cycle_ms == 4 * 500


def test_phases_that_are_not_wired_are_not_asked_for():
    plan = plan_cycle(KNOWN["keba-p30"], "1")
    assert len(plan.rotating) == 4
    assert spans("eastron-sdm72dm-v2", "1") == [(0, 8), (52, 22)]


def test_a_slow_bus_costs_what_its_speed_says():
    slow = KNOWN["eastron-sdm630"]
    slow = replace(slow, pace=replace(slow.pace, baud=2_400))
    assert (
        plan_cycle(slow, "123").cycle_ms > 2 * plan_cycle(KNOWN["eastron-sdm630"], "123").cycle_ms
    )


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=25)
@given(data=st.data())
def test_every_request_keeps_to_the_profile(name, data):
    profile = KNOWN[name]
    pace = replace(
        profile.pace,
        max_registers=data.draw(st.integers(8, 125)) if not profile.pace.one_value else 2,
        bridge_gap=data.draw(st.integers(0, 40)),
    )
    wanted = data.draw(st.sets(st.sampled_from(sorted(profile.registers)), min_size=1))
    registers = [profile.registers[name] for name in wanted]
    blocks = plan_blocks(registers, pace)
    assert sorted(r.name for block in blocks for r in block.registers) == sorted(wanted)
    for block in blocks:
        assert block.count <= pace.max_registers or len(block.registers) == 1
        alone = len(block.registers) == 1 and block.registers[0].length % pace.alignment
        assert alone or block.address % pace.alignment == block.count % pace.alignment == 0
        assert {r.function for r in block.registers} == {block.function}
        at = block.address
        for register in block.registers:  # a compound value may reach across others
            assert register.address >= block.address
            assert register.end <= block.address + block.count
            assert register.address - at <= max(pace.bridge_gap, pace.alignment)
            at = max(at, register.end)
        if pace.one_value:
            assert len(block.registers) == 1


def test_a_value_of_odd_length_in_a_device_of_pairs_is_asked_for_as_it_is():
    profile = KNOWN["eastron-sdm72dm-v2"]
    (block,) = plan_blocks([profile.registers["meter_code"]], profile.pace)
    assert (block.address, block.count) == (64_514, 1)
    pair = [profile.registers[name] for name in ("serial_number", "meter_code")]
    (block,) = plan_blocks(pair, profile.pace)
    assert (block.address, block.count) == (64_512, 4)
    assert [half.count for half in split_block(block, profile.pace)] == [2, 1]


def test_a_refused_request_is_halved():
    (block,) = plan_cycle(KNOWN["eastron-sdm630"], "123").always
    low, high = split_block(block, KNOWN["eastron-sdm630"].pace)
    assert len(low.registers) == len(high.registers) == 4
    assert low.count < block.count
    assert high.address + high.count == block.address + block.count
