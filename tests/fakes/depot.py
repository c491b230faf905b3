"""A depot that was never built: stations, sessions and curves that look like real ones."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from evdesk.domain.corrections import Decision
from evdesk.domain.meters import Meter, MeterRole, Source, Station, StationId
from evdesk.domain.readings import MeterId, Register
from evdesk.domain.sessions import Figures, Flag, Session, SessionId
from evdesk.domain.site import Driver, DriverId, Party, Site
from evdesk.ports import Curve

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 10, 42, 17, tzinfo=ZONE).astimezone(UTC)
SITE = Site(
    "S-4F7K", "Depot Nordhafen", "Europe/Berlin", "EUR", "DE", "en", demo=False, created_at=NOW
)

NAMES = (
    "Yard 1", "Yard 2", "Workshop", "Visitors left", "Visitors right", "Truck bay",
)  # fmt: skip
PEOPLE = (
    ("Hanna Krüger", "hanna.krueger@example.org", "Werftstraße 12", "24143", "Kiel"),
    ("Deniz Aydin", "deniz.aydin@example.org", "Am Kai 3", "24159", "Kiel"),
    ("Marta Nowak", "", "Lange Reihe 77", "24103", "Kiel"),
    ("Förde Logistik GmbH", "rechnung@foerde-logistik.example", "Hafenring 5", "24149", "Kiel"),
)
RATES_W = (11_000, 7_400, 22_000, 3_700, 11_000, 43_000)


@dataclass(frozen=True, slots=True)
class Charge:
    """One car at one station; ``full_w`` is its plateau."""

    from_s: float
    to_s: float
    full_w: float


class Depot:
    """Everything the stub services tell, made once from a seed."""

    def __init__(self, stations: int = 6, now: datetime = NOW, days: int = 9) -> None:
        self.now = now
        self.site = SITE
        self.thin_after_days: int | None = 90
        self.drivers = [
            Driver(
                DriverId(f"D-{number}7KQ2M9X"),
                Party(name, street, code, city, "DE", email=mail),
                "de",
                now,
            )
            for number, (name, mail, street, code, city) in enumerate(PEOPLE, 1)
        ]
        names = [*NAMES, *(f"Row {n // 6} place {n % 6 + 1}" for n in range(6, stations))][
            :stations
        ]
        made = now - timedelta(days=days)
        self.meters = [
            Meter(MeterId(n), name, "eastron-sdm630-v2", f"tcp://192.168.20.{10 + n}:502", 1,
                  "123", f"24-{31_000 + 97 * n}", None, MeterRole.STATION, made)
            for n, name in enumerate(names, 1)
        ]  # fmt: skip
        self.stations = [
            Station(StationId(n), name, Source(MeterId(n)), Source(MeterId(n)), made)
            for n, name in enumerate(names, 1)
        ]
        self.charges = {s.id: self._charges(s.id, days) for s in self.stations}
        self.sessions = self._sessions()
        self.decisions: dict[SessionId, list[Decision]] = {}

    def _charges(self, station: int, days: int) -> list[Charge]:
        chance = np.random.default_rng(station)
        full_w = RATES_W[(station - 1) % len(RATES_W)]
        end_s = self.now.timestamp()
        at_s = end_s - days * 86_400 + chance.uniform(0, 30_000)
        made = []
        while at_s < end_s:
            length_s = chance.uniform(3_000, 14_000)
            made.append(Charge(at_s, at_s + length_s, full_w * chance.uniform(0.93, 1)))
            at_s += length_s + chance.uniform(2_000, 40_000)
        if station % 3 != 2:  # a car is there now
            begin_s = end_s - chance.uniform(1_500, 9_000)
            made = [c for c in made if c.to_s < begin_s - 600]
            made.append(Charge(begin_s, end_s + 9_000, full_w * 0.98))
        return made

    def _sessions(self) -> list[Session]:
        found = []
        for station in self.stations:
            wh = 412_000 + 91_337 * station.id
            for number, charge in enumerate(self.charges[station.id]):
                seed = station.id * 1000 + number
                used = int(
                    charge.full_w
                    * (min(charge.to_s, self.now.timestamp()) - charge.from_s)
                    / 3600
                    * 0.8
                )
                found.append(self._session(station, charge, seed, wh, used))
                wh += used
        found.sort(key=lambda s: s.figures.plugged_in_at, reverse=True)
        return found

    def _session(self, station: Station, charge: Charge, seed: int, wh: int, used: int) -> Session:
        began = datetime.fromtimestamp(int(charge.from_s), UTC)
        ended = (
            datetime.fromtimestamp(int(charge.to_s), UTC)
            if charge.to_s <= self.now.timestamp()
            else None
        )
        flags = {
            0: frozenset({Flag.COMM_GAP}), 3: frozenset({Flag.METER_RESET}),
            5: frozenset({Flag.ESTIMATED_END, Flag.INTERRUPTED}),
        }.get(seed % 17, frozenset())  # fmt: skip
        figures = Figures(
            began, ended,
            Register(wh, began, wh.to_bytes(4, "big")),
            Register(wh + used, ended or self.now, (wh + used).to_bytes(4, "big")),
            used, int((charge.to_s - charge.from_s) * 800), charge.full_w, flags,
        )  # fmt: skip
        driver = None if seed % 5 == 0 else self.drivers[seed % len(self.drivers)].id
        return Session(SessionId(seed), station.id, station.name, driver, figures.state(), figures)

    def open_session(self, station: Station) -> Session | None:
        return next(
            (
                s
                for s in self.sessions
                if s.station_id == station.id and s.figures.unplugged_at is None
            ),
            None,
        )

    def power_w(self, station: int, at_s: np.ndarray) -> np.ndarray:
        """Watts at these instants: plateau, tail, meter noise; a silence of some minutes a day."""
        watts = np.zeros(len(at_s))
        for charge in self.charges.get(StationId(station), []):
            inside = (at_s >= charge.from_s) & (at_s < charge.to_s)
            done = (at_s[inside] - charge.from_s) / (charge.to_s - charge.from_s)
            shape = np.where(done > 0.7, np.exp(-(done - 0.7) * 9), 1.0)
            noise = np.sin(at_s[inside] * 12.9898) * 43_758.5453
            noise = (noise - np.floor(noise) - 0.5) * 0.008
            watts[inside] = charge.full_w * np.minimum(shape + noise, 1.05)
        watts[(at_s + station * 9_000) % 50_000 < 400] = np.nan
        return watts

    def curve(self, station: int, from_at: datetime, to_at: datetime, points: int) -> Curve:
        from_s, to_s = from_at.timestamp(), min(to_at.timestamp(), self.now.timestamp())
        first_s = self.now.timestamp() - 9 * 86_400
        from_s = max(from_s, first_s)
        if to_s <= from_s:
            return Curve((), ())
        step_s = max(1.0, (to_s - from_s) / points)
        at_s = np.arange(np.ceil(from_s), to_s + 0.001, step_s)
        watts = self.power_w(station, at_s)
        values = tuple(None if np.isnan(w) else round(float(w), 1) for w in watts)
        return Curve(tuple(float(s) for s in at_s), values)
