"""Devices of the shipped profiles with known values in their registers, served and read."""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

from evdesk.devices.modbus import ModbusDevices
from evdesk.domain.readings import Reading, Signs
from tests.devices.holding import Holding, served
from tests.devices.support import METERS, PROFILES, SetClock, meter
from tests.devices.words import (
    FILLER,
    NUMBER_WORDS,
    WH,
    Memory,
    Row,
    exact,
    masked_in,
    nearest_raw,
    numbers_of,
    options_of,
    profile_data,
)

UNIT = 7
DATA = {name: profile_data(METERS / f"{name}.toml") for name in PROFILES}
ENERGY = "energy_import_total"
# Far from one another, with different words and bytes; in the unit of the reading.
TARGETS = {
    "voltage_l1": "231.4",
    "voltage_l2": "228.7",
    "voltage_l3": "233.9",
    "current_l1": "11.234",
    "current_l2": "7.891",
    "current_l3": "15.678",
    "active_power_total": "7345.6",
    ENERGY: "1234567.891",
}
EXPONENTS = {"V": -2, "A": -3, "W": 0, "Wh": -1, "kWh": -1}
NEARLY = {"V": 0.05001, "A": 0.000501, "W": 0.05001}
CARD = "04A1B2C3"
SIGNS = {
    "serial_number": Fraction(40_961_234),
    "rfid_tag": Fraction(0x04A1B2C3),
    "connected_duration": Fraction(4_711),
    "session_energy": Fraction("7.654"),
    "error_code": Fraction(4_097),
}
# What a device shows by which it decides between options: (profile, choice, option).
SHOWN: dict[tuple[str, str, str], str | int] = {
    ("keba-p30", "meter", "inside"): 310_110,
    ("keba-p30", "meter", "none"): 310_100,
    ("keba-p40", "meter", "inside"): 4_100_110,
    ("keba-p40", "meter", "none"): 4_100_010,
    ("sbc-ale3", "counters", "tariffs"): "ALE3D5FD10C3A00",
    ("sbc-ale3", "counters", "directions"): "ALE3B5FD00C3A00",
}


@dataclass
class Device:
    """A device in memory, and what a reading of each of its sockets must say."""

    name: str
    chosen: dict[str, str]
    data: dict[str, Any] = field(default_factory=dict)
    expected: dict[tuple[str, int], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data = self.data or DATA[self.name]
        self.device = self.data["device"]
        self.sockets = range(1, self.device.get("sockets", 1) + 1)
        self.memory = Memory(self.data, self.chosen)
        self.fixed: set[str] = set()
        for name, row in self.memory.rows.items():
            for socket in self.sockets:
                self._fill(name, row, socket)
        self._obey_rules()

    def _fill(self, name: str, row: Row, socket: int) -> None:
        if row["type"] in NUMBER_WORDS:
            bits = sum(FILLER << 16 * at for at in range(NUMBER_WORDS[row["type"]]))
            self.memory.put_pattern(name, bits, socket)
        else:
            self.memory.put_text(name, "", socket)

    def _obey_rules(self) -> None:
        """Show what makes evdesk take the chosen options."""
        for choice, option in options_of(self.data, self.chosen):
            if "register" not in option:
                continue
            name = option["register"]
            if option.get("answers") is False:
                self.memory.forget(name)
            elif "matches" in option or "contains" in option:
                self._show(name, SHOWN[self.name, choice, option["id"]])
            elif "equals" in option:
                self._show(name, option["equals"][0])
            elif "low" in option or "high" in option:
                self._show_within(name, option.get("low"), option.get("high"))

    def _show_within(self, name: str, low: Any, high: Any) -> None:
        """Show a value within limits, or leave it to the known value that lies in them anyway."""
        least, most = (
            Fraction(low if one is None else one) for one, low in ((low, high), (high, low))
        )
        if not least <= Fraction(TARGETS.get(name, "-1e99")) <= most:
            self._show(name, (least + most) / 2)

    def _show(self, name: str, value: Any) -> None:
        self.fixed.add(name)
        row = self.memory.rows[name]
        for socket in self.sockets:
            if isinstance(value, str):
                self.memory.put_text(name, value, socket)
            else:
                raw = nearest_raw(row, Fraction(value))
                self.memory.put(name, masked_in(row, raw), socket=socket)
                if name in TARGETS:
                    self.expected[name, socket] = exact(row, [raw])

    def put_values(self, *, sign: int = 1) -> None:
        """Put a known value into every register that a reading is made of."""
        for socket in self.sockets:
            for name, text in TARGETS.items():
                if name in self.memory.rows and name not in self.fixed:
                    self._put(name, Fraction(text) * (1 + Fraction(socket - 1, 19)), socket, sign)
            if "state" in self.memory.rows:
                self.put_state(self.states()[0], socket)

    def _put(self, name: str, target: Fraction, socket: int, sign: int) -> None:
        row = self.memory.rows[name]
        is_power = name.startswith("active_power")
        if is_power and sign < 0 and row["type"][0] != "u":
            target = -target
        if name == ENERGY:
            target = target * 1_000 / WH[row["unit"]]
        exponent = EXPONENTS.get(row.get("unit", ""), 0)
        count = numbers_of(row)
        shares = [target / count * (1 + Fraction(at, 7)) for at in range(count)]
        raws = [nearest_raw(row, share, exponent) for share in shares]
        words = [masked_in(row, raw) if "mask" in row else raw for raw in raws]
        self.memory.put(name, *words, socket=socket, exponent=exponent)
        value = exact(row, raws, exponent)
        per_unit = WH[row["unit"]] if name == ENERGY else 1
        self.expected[name, socket] = floor(value * per_unit) if name == ENERGY else value

    def put_signs(self) -> None:
        """Show who it is, a card, and its own session; note what a reading must say of them."""
        for name in set(SIGNS) & set(self.memory.rows) - self.fixed:
            for socket in self.sockets:
                self._put_sign(name, socket)

    def _put_sign(self, name: str, socket: int) -> None:
        row, value = self.memory.rows[name], SIGNS[name]
        key = (f"signs.{name}", socket)
        if row["type"] == "string":
            self.memory.put_text(name, CARD, socket)
            self.expected[key] = CARD
        elif row["type"] == "bytes":
            words = [int(CARD[at : at + 4], 16) for at in range(0, len(CARD), 4)]
            self.memory.put_words(name, words, socket)
            text = CARD.ljust(4 * row["length"], "0")
            self.expected[key] = {"rfid_tag": CARD, "serial_number": text}.get(name, int(text, 16))
        else:
            raw = nearest_raw(row, value + socket)
            self.memory.put(name, masked_in(row, raw) if "mask" in row else raw, socket=socket)
            shown = exact(row, [raw])
            texts = {"rfid_tag": f"{int(shown):0{4 * row['length']}X}", "serial_number": str(shown)}
            per_unit = WH.get(row.get("unit", ""), 1)
            self.expected[key] = texts.get(name, floor(shown * per_unit))

    def states(self) -> list[Row]:
        """Return the meanings of its state, one in which it charges first."""
        rows = self.memory.rows["state"].get("enum", [])
        return sorted(rows, key=lambda one: one.get("iec61851") not in {"C", "D"})

    def put_state(self, meaning: Row, socket: int, pointed: Row | None = None) -> None:
        """Put a state; where another register says which it is, that one's meaning, too."""
        self._code("state", meaning["raw"], socket)
        letter = meaning.get("iec61851")
        if "by" in meaning:
            pointed = pointed or self.memory.rows[meaning["by"]]["enum"][0]
            self._code(meaning["by"], pointed["raw"], socket)
            letter = pointed.get("iec61851")
        self.expected["state", socket] = letter

    def put_states(self, meaning: Row, pointed: Row | None) -> None:
        for socket in self.sockets:
            self.put_state(meaning, socket, pointed)

    def _code(self, name: str, raw: int | str, socket: int) -> None:
        if isinstance(raw, str):
            self.memory.put_text(name, raw, socket)
        else:
            self.memory.put(name, masked_in(self.memory.rows[name], raw), socket=socket)


def quick_profiles(folder: Path, names: Iterable[str] = PROFILES) -> Path:
    """Copy profiles without the silences that devices want, which are tested elsewhere.

    Each comes into a folder of its own, as a folder is read whole.
    """
    for name in names:
        text = (METERS / f"{name}.toml").read_text(encoding="utf-8")
        quick = re.sub(r"(?m)^min_request_gap_ms = \d+$", "min_request_gap_ms = 0", text)
        (folder / name).mkdir()
        (folder / name / f"{name}.toml").write_text(quick, encoding="utf-8")
    return folder


def readings(
    folder: Path, device: Device, changes: Iterable[Callable[[], None]] = (lambda: None,)
) -> list[dict[int, Reading]]:
    """Serve a device and read it after each change; return its readings by socket."""

    async def main() -> list[dict[int, Reading]]:
        found = []
        async with served(Holding(UNIT, device.device, device.memory.words)) as url:
            devices = ModbusDevices(SetClock(), stepped=False, profiles_dir=folder / device.name)
            try:
                one = devices.reader(meter(url, device.name, UNIT), frozenset(device.sockets))
                for change in changes:
                    change()
                    found.append({reading.socket: reading for reading in await one.read()})
            finally:
                await devices.close()
        return found

    return asyncio.run(main())


def shown(one: Reading) -> dict[str, Any]:
    values: dict[str, Any] = {"state": one.pilot and one.pilot.value, ENERGY: one.import_wh}
    values["active_power_total"] = one.power_w
    for n, amps, volts in zip("123", one.currents_a, one.voltages_v, strict=True):
        values |= {f"current_l{n}": amps, f"voltage_l{n}": volts}
    signs = one.signs or Signs()
    values |= {"signs.serial_number": signs.serial, "signs.rfid_tag": signs.tag}
    values |= {"signs.connected_duration": signs.connected_s, "signs.error_code": signs.error_code}
    return values | {"signs.session_energy": signs.session_wh}


def wrong(device: Device, found: dict[int, Reading]) -> dict[str, Any]:
    """Return what is not as it was put in: what came, and what should have."""
    values = {socket: shown(one) for socket, one in found.items()}
    result = {}
    for (name, socket), value in device.expected.items():
        came = values[socket][name]
        unit = device.memory.rows[name].get("unit", "") if name in TARGETS else ""
        near = NEARLY.get(unit)
        same = came == value if near is None or came is None else abs(came - value) <= near
        if not same:
            result[f"{name} of socket {socket}"] = (came, value if near is None else float(value))
    return result
