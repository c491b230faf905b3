"""Each shipped profile against the collected register facts it was made from.

What differs on purpose stands here with its reason. The facts are not in the repository: without
them the tests are skipped.
"""

import os
import re
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.devices.support import METERS, PROFILES

ROOT = Path(__file__).resolve().parents[2]
FACTS = Path(
    os.environ.get("EVDESK_TEST_REGISTERS", ROOT.parent / "shared" / "reference" / "registers")
)
pytestmark = pytest.mark.skipif(
    not FACTS.is_dir(), reason="needs the collected register facts (EVDESK_TEST_REGISTERS)"
)
SAME = {"address": None, "function": None, "type": None, "length": None, "byte_order": "big"}
PER_UNIT = {"Wh": 1, "kWh": 1_000, "MWh": 1_000_000}
DEVICE_KEYS = (
    *("manufacturer", "kind", "phases", "transports", "default_unit_id", "default_tcp_port"),
    *("default_baud", "default_parity", "default_stop_bits", "max_registers_per_read"),
    *("min_request_gap_ms", "default_word_order", "confidence"),
)

# (profile, register) -> the keys in which it, or one of its alternatives, differs, and why.
DIFFERENT = {
    ("abb-b23-b24", "model_id"): (
        {"type", "word_order"},
        "the number is the letters of B23 and a space",
    ),
    ("abb-terra-ac", "cable_state"): ({"mask", "enum"}, "bit 8 says that a car is connected"),
    ("abl-emh1", "current_l2"): ({"not_available"}, "as current_l1"),
    ("abl-emh1", "current_l3"): ({"not_available"}, "as current_l1"),
    ("bender-cc6xx", "energy_import_total"): ({"address"}, "the sum of phases of older firmware"),
    ("bender-cc6xx", "active_power_total"): ({"address"}, "the sum of phases of older firmware"),
    ("cfos-power-brain", "energy_import_total"): ({"not_available"}, "0 shortly after its start"),
    ("compleo", "state"): ({"mask", "enum"}, "the facts describe its two bits in words"),
    ("compleo", "session_duration"): ({"word_order"}, "all four bytes in reverse, in words there"),
    ("daheimladen-em2go", "state"): ({"enum"}, "an update of its firmware is no unplugged car"),
    ("etrel-inch", "state"): ({"enum"}, "an unknown state is no unplugged car"),
    ("evse-din", "current_limit"): ({"scale"}, "in words there: 0.01 A by bit 7 of 2005"),
    ("evse-din", "config_bits"): ({"mask"}, "in words there: bit 7 tells the unit"),
    ("janitza-umg604", "energy_import_total"): (
        {"address"},
        "the block all of the series share; in its own one nobody knows which is import",
    ),
    ("janitza-umg604", "energy_export_total"): ({"address"}, "as energy_import_total"),
    ("phoenix-ev-eth", "current_limit"): ({"scale"}, "in words there: 0.1 A by Wallbe firmware"),
    ("schneider-evlink-pro", "state"): ({"enum"}, "what it leaves open, another register says"),
    ("schneider-evlink-pro", "plugged"): ({"enum"}, "that register: 1 is a car"),
    ("sungrow-ac011e", "current_limit"): ({"scale"}, "the facts name both scales"),
}
DIFFERENT |= {
    ("sbc-ale3", f"active_power_{which}"): (
        {"type"},
        "signed: the same below 327 kW, and no 655 kW where energy flows back",
    )
    for which in ("total", "l1", "l2", "l3")
}
DIFFERENT |= {
    ("eastron-sdm630", f"energy_{which}"): ({"scale"}, "in words there: kWh or MWh, as it is set")
    for which in (
        "import_total",
        "export_total",
        "sum_total",
        "import_l1",
        "import_l2",
        "import_l3",
    )
}
DIFFERENT |= {
    (profile, name): ({"scale"}, "in words there: Wh or another unit, which a choice settles")
    for profile, names in (
        ("keba-p30", ("energy_import_total", "session_energy")),
        ("keba-p40", ("energy_import_total", "session_energy")),
        ("phoenix-eem-mb370", ("energy_import_total", "energy_export_total")),
    )
    for name in names
}
DIFFERENT |= {
    ("phoenix-ev-cc-basic-ser", name): ({"function"}, "its maker and evcc differ: it is asked")
    for name in (
        *("state", "cable_max_current", "pwm_duty", "current_limit_readback"),
        *("digital_inputs", "digital_outputs"),
    )
}
DIFFERENT |= {
    ("goe-gemini", f"active_power_l{n}"): (
        {"type", "scale"},
        "0.1 W and not 0.1 kW, by what owners read (API v2, issues 163 and 175); below 0 at times",
    )
    for n in "123"
}
DIFFERENT["goe-gemini", "active_power_total"] = ({"type"}, "below 0 at times (issue 175)")
# (profile, register) -> the name the facts give it.
RENAMED = {
    ("carlogavazzi-em24-rs485", "energy_resettable_total"): (
        "energy_import_total",
        "two claims: the maker's list has the total at 62, at 66 what people can reset",
    ),
    ("orno-we514-we515", "energy_import_total"): (
        "energy_sum_total",
        "the meter's only counter, and nothing flows back through a charging point",
    ),
}
# (profile, register) -> where it comes from, if not from the facts.
ELSEWHERE = {
    ("dzg-dvh4013", "active_power_total"): "import less export, which the facts list singly",
    ("sbc-ale3", "model_id"): "ALE3 datasheet, registers 7 to 14",
    ("sbc-ale3", "serial_number"): "ALE3 datasheet, registers 16 and 17",
    ("schneider-iem3155-iem3255", "model_id"): "Schneider's register list, register 50",
    ("schneider-iem3155-iem3255", "serial_number"): "Schneider's register list, register 130",
    ("siemens-versicharge", "active_power_total"): "the sum of its phases, which the facts list",
}
# (profile, key of the device) -> why it differs.
DEVICE_DIFFERS = {
    ("webasto-next", "max_registers_per_read"): "its texts are longer than the 4 registers",
}
# profile -> what is left out although it would be of use, and why.
LEFT_OUT: dict[str, tuple[set[str], str]] = {}


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def facts() -> dict[str, dict[str, Any]]:
    files = (read(path) for path in sorted(FACTS.glob("*.toml")))
    return {data["device"]["id"]: data for data in files}


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Any]]:
    return facts()


def test_every_device_of_the_facts_has_a_profile(known):
    assert sorted(known) == PROFILES


@pytest.mark.parametrize("name", PROFILES)
def test_the_device_is_as_the_facts_have_it(known, name):
    ours, theirs = read(METERS / f"{name}.toml")["device"], known[name]["device"]
    wrong = {
        key: (ours.get(key), theirs.get(key))
        for key in DEVICE_KEYS
        if (name, key) not in DEVICE_DIFFERS and not same_key(key, ours, theirs)
    }
    assert wrong == {}
    assert ("read_alignment" in ours) == ("read_alignment" in theirs)


def same_key(key: str, ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    usual = {"default_unit_id": 1, "default_word_order": "big"}.get(key)
    return bool(ours.get(key, usual) == theirs.get(key, usual))


@pytest.mark.parametrize("name", PROFILES)
def test_every_register_is_where_the_facts_have_it(known, name):
    ours, theirs = read(METERS / f"{name}.toml"), known[name]
    wrong = {}
    for row in ours["register"]:
        if (name, row["name"]) in ELSEWHERE:
            continue
        called, _ = RENAMED.get((name, row["name"]), (row["name"], ""))
        rows = [other for other in theirs["register"] if other["name"] == called]
        free, _ = DIFFERENT.get((name, row["name"]), (set(), ""))
        found = [differing(row, other, ours, theirs) - free for other in rows]
        if set() not in found:
            wrong[row["name"]] = min(found, key=len, default={"not in the facts"})
    assert wrong == {}


def differing(
    row: dict[str, Any], other: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> set[str]:
    """Return the keys in which a register differs from one of the facts."""
    pairs = {key: (row.get(key, usual), other.get(key, usual)) for key, usual in SAME.items()}
    pairs["scale"] = (scale(row), scale(other))
    pairs["unit"] = (quantity(row), quantity(other))
    pairs["mask"] = (mask(row), mask(other))
    pairs["word_order"] = (word_order(row, ours), word_order(other, theirs))
    pairs["not_available"] = (patterns(row), patterns(other))
    pairs["enum"] = (letters(row), letters(other))
    pairs["scale_address"] = (row.get("scale_address"), scale_address(other, theirs))
    return {key for key, (one, two) in pairs.items() if one != two}


def scale(row: dict[str, Any]) -> Fraction:
    """Return the scale, of energies in Wh; the facts round what is no decimal."""
    factor = Fraction(row.get("scale", 1)) / int(row.get("divisor", 1)) * PER_UNIT.get(unit(row), 1)
    return factor.limit_denominator(10**7)


def unit(row: dict[str, Any]) -> str:
    return str(row.get("unit", ""))


def quantity(row: dict[str, Any]) -> str:
    return "Wh" if unit(row) in PER_UNIT else unit(row)


def mask(row: dict[str, Any]) -> int | None:
    return int(row["mask"], 16) if isinstance(row.get("mask"), str) else row.get("mask")


def word_order(row: dict[str, Any], data: dict[str, Any]) -> str | None:
    if row["length"] == 1 or row["type"] in {"string", "bytes"}:
        return None
    return str(row.get("word_order") or data["device"].get("default_word_order", "big"))


def patterns(row: dict[str, Any]) -> set[int]:
    """Return the patterns of "no value"; the facts explain some in words, NaN always is one."""
    texts = [text.split()[0] for text in row.get("not_available", [])]
    values = {int(text, 16) for text in texts if re.fullmatch(r"0x[0-9A-Fa-f]+", text)}
    return values - {0x7FC00000}


def letters(row: dict[str, Any]) -> dict[Any, str]:
    """Return the pilot states by raw value; where another register decides, the facts have none."""
    return {one["raw"]: one["iec61851"] for one in row.get("enum", []) if "iec61851" in one}


def scale_address(row: dict[str, Any], data: dict[str, Any]) -> int | None:
    name = row.get("scale_register")
    found = [r["address"] for r in data["register"] if r["name"] == f"scale_factor_{name}"]
    return found[0] if found else None


@pytest.mark.parametrize("name", PROFILES)
def test_what_the_facts_name_for_a_session_is_there(known, name):
    """A register that evdesk follows, bills or shows is left out for a reason only."""
    wanted = {"state", "energy_import_total", "rfid_tag", "serial_number", "session_energy"}
    wanted |= {"active_power_total", "connected_duration", "error_code"}
    wanted |= {f"{kind}_l{n}" for kind in ("current", "voltage") for n in "123"}
    here = {row["name"] for row in read(METERS / f"{name}.toml")["register"]}
    there = {row["name"] for row in known[name]["register"]} & wanted
    left_out, _ = LEFT_OUT.get(name, (set(), ""))
    assert there - here == left_out


@pytest.mark.parametrize(("name", "register"), DIFFERENT)
def test_every_exception_is_needed(known, name, register):
    ours, theirs = read(METERS / f"{name}.toml"), known[name]
    rows = [row for row in ours["register"] if row["name"] == register]
    others = [row for row in theirs["register"] if row["name"] == register]
    found = [
        min((differing(row, other, ours, theirs) for other in others), key=len) for row in rows
    ]
    assert set().union(*found) == DIFFERENT[name, register][0]


def test_every_other_exception_names_a_register_of_ours():
    for name, register in [*RENAMED, *ELSEWHERE]:
        rows = read(METERS / f"{name}.toml")["register"]
        assert any(row["name"] == register for row in rows), (name, register)
