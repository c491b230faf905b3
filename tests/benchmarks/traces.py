"""Traces of charging at 1 s, built from real session windows and a measured charger.

No public series of AC charging at 1 s could be had. So: when a car drew and how much in all is
from the office's sessions, the phase shift from a measured on-board charger, the taper from the
simulator; noise is what a meter with fine float registers shows. After each charge the station
stands idle for as long as it charged, so that half of all readings are idle.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from evdesk.devices.simulator.loads import TAPER
from evdesk.domain.instants import from_ms
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.storage.columns import NUMBERS, Column, Columns, Raws

START_MS = round(datetime(2026, 3, 2, 6, 0, tzinfo=UTC).timestamp() * 1000)
Q_GRID = "Volkswagen_ID3__Q_grid_over_P_bat_and_V_grid.csv"
JITTER_MS = 3.0  # of the instant at which an answer came
RIPPLE = 0.001  # of power and currents, from one second to the next
TAPER_SHARE = 0.2  # of a charge


@dataclass(frozen=True)
class Trace:
    """One meter, a value a second."""

    at_ms: np.ndarray
    wh: np.ndarray
    power_dw: np.ndarray
    currents_ma: np.ndarray  # three rows
    voltages_dv: np.ndarray  # three rows
    charging: np.ndarray

    def columns(self, begin: int, end: int) -> Columns:
        """The readings of these seconds as the archive holds them."""
        part = slice(begin, end)
        missing = np.zeros(end - begin, np.int64)
        known = {
            "import_wh": self.wh[part],
            "power_dw": self.power_dw[part],
            "pilot": np.where(self.charging[part], ord("C"), ord("A")),
        }
        known |= {f"current_l{n + 1}_ma": self.currents_ma[n][part] for n in range(3)}
        known |= {f"voltage_l{n + 1}_dv": self.voltages_dv[n][part] for n in range(3)}
        numbers = {
            name: Column.every(known.get(name, missing).astype(np.int64)) for name in NUMBERS
        }
        return Columns(self.at_ms[part], numbers, Raws.of(raws(self.wh[part])))

    def readings(self, meter: MeterId, begin: int, end: int, *, whole: bool) -> list[Reading]:
        """The same as readings: with raw words, pilot and all voltages, or the seven channels."""
        part = slice(begin, end)
        words = raws(self.wh[part]) if whole else [b""] * (end - begin)
        amps, volts = self.currents_ma[:, part].T / 1000, self.voltages_dv[:, part].T / 10
        rows = zip(
            self.at_ms[part].tolist(),
            self.wh[part].tolist(),
            words,
            (self.power_dw[part] / 10).tolist(),
            map(tuple, amps.tolist()),
            (tuple(v) if whole else (v[0], None, None) for v in volts.tolist()),
            self.charging[part].tolist(),
            strict=True,
        )
        return [
            Reading(
                *(meter, 1, from_ms(at_ms), wh, raw, power_w, currents_a, voltages_v),
                pilot=(PilotState.C if charging else PilotState.A) if whole else None,
            )
            for at_ms, wh, raw, power_w, currents_a, voltages_v, charging in rows
        ]


def raws(wh: np.ndarray) -> list[bytes]:
    """A float32 register in kWh, as the words came."""
    words = (wh / 1000).astype(">f4").tobytes()
    return [words[at : at + 4] for at in range(0, len(words), 4)]


def traces(data: Path, meters: int, hours: float) -> list[Trace]:
    """Return so many meters' traces; every other one charges on three phases."""
    return [trace(data, meter, round(hours * 3600)) for meter in range(meters)]


def trace(data: Path, meter: int, seconds: int) -> Trace:
    chance = np.random.default_rng(meter)
    mean_w = np.concatenate(list(_power(data, meter, seconds)))
    charging = mean_w > 0
    power_w = mean_w * (1 + RIPPLE * chance.standard_normal(seconds))
    walk = np.cumsum(chance.normal(0, 0.02, (3, seconds)), axis=1)
    volts = 230 + walk - walk.mean(axis=1, keepdims=True) + chance.normal(0, 0.05, (3, seconds))
    volts -= 0.3 * charging
    phases = 3 if meter % 2 == 0 else 1
    share = np.array([[1.0], [1.0 if phases > 1 else 0.0], [1.0 if phases > 1 else 0.0]]) / phases
    shift = 1 / np.cos(np.arctan(_reactive(data, power_w) / np.maximum(power_w, 1)))
    amps = share * power_w * shift / volts * (1 + RIPPLE * chance.standard_normal((3, seconds)))
    jitter_ms = np.abs(chance.normal(0, JITTER_MS, seconds)).astype(np.int64)
    return Trace(
        at_ms=START_MS + np.arange(seconds) * 1000 + jitter_ms,
        wh=(1_234_567 * (meter + 1) + np.cumsum(power_w) / 3600).astype(np.int64),
        power_dw=np.round(power_w * 10).astype(np.int64),
        currents_ma=np.round(amps * 1000).astype(np.int64),
        voltages_dv=np.round(volts * 10).astype(np.int64),
        charging=charging,
    )


def _power(data: Path, meter: int, seconds: int) -> Iterator[np.ndarray]:
    """Yield mean powers: a charge of the office, then nothing for as long, and so on."""
    shares, left_s = np.array(TAPER, np.float64), seconds
    for lasted_s, energy_wh in islice(cycle(_charges(data)), meter, None, 7):
        tail_s = round(lasted_s * TAPER_SHARE)
        steps = np.interp(np.linspace(0, len(TAPER) - 1, tail_s), range(len(TAPER)), shares)
        shape = np.concatenate([np.ones(lasted_s - tail_s), steps])
        charge = shape * energy_wh * 3600 / shape.sum()
        shown_s = min(lasted_s, left_s // 2)
        yield charge[:shown_s]
        yield np.zeros(min(left_s - shown_s, lasted_s))
        left_s -= shown_s + min(left_s - shown_s, lasted_s)
        if left_s <= 0:
            return


def _charges(data: Path) -> Iterator[tuple[int, float]]:
    """Yield how long the cars of the office drew, in seconds, and how much, in Wh."""
    text = (data / "sessions_acn" / "office001_2019_2021_raw.json").read_text()
    for item in json.loads(text)["_items"]:
        if item["doneChargingTime"]:
            begin, end = (
                parsedate_to_datetime(item[name]) for name in ("connectionTime", "doneChargingTime")
            )
            if (end - begin).total_seconds() > 600 and item["kWhDelivered"] > 1:
                yield round((end - begin).total_seconds()), item["kWhDelivered"] * 1000


def _reactive(data: Path, power_w: np.ndarray) -> np.ndarray:
    with (data / "ts_obc_measured_characteristics" / Q_GRID).open() as file:
        rows = [(float(row["P_W"]), float(row["V_grid_400"])) for row in csv.DictReader(file)]
    at_w, reactive = zip(*sorted(rows), strict=True)
    return np.where(power_w > 0, np.interp(power_w, at_w, reactive), 0.0)
