"""What a charging point draws, in closed form: every value is a function of the instant alone.

Power is piecewise linear between points in whole milliwatts and milliseconds, so that its integral
is exact in integers. The unit of energy here is half a microjoule (mW × ms / 2): 1 Wh is
7,200,000,000 of them.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise

UNITS_PER_WH = 7_200_000_000
MW_PER_W = 1_000
MS_PER_MINUTE = 60_000

Point = tuple[int, int]  # milliseconds after the plug-in, milliwatts

# A battery at its voltage limit: power at equal steps of the taper, as shares of full power.
TAPER = (Fraction(1), Fraction(31, 50), Fraction(9, 25), Fraction(9, 50), Fraction(3, 50))


@dataclass(frozen=True, slots=True)
class Session:
    """A car from plug-in to unplug, in milliseconds after the scenario's start.

    ``points`` is the shape of the power. With ``energy_units`` the shape is stretched in height so
    that exactly this much is delivered by its end; without, the shape counts as it stands.
    ``tag`` is the card it was released with, in hexadecimal digits.
    """

    plug_in_ms: int
    unplug_ms: int
    points: tuple[Point, ...]
    phases: str = "123"
    energy_units: int | None = None
    tag: str = ""


def delivering(
    arrive_ms: int,
    done_ms: int,
    depart_ms: int,
    energy_wh: int | Decimal | Fraction,
    phases: str = "123",
    tag: str = "",
) -> Session:
    """Return a session that delivers exactly this energy at constant power until it is done.

    The energy is exact to half a microjoule; instants are milliseconds after the scenario's start.
    """
    if not arrive_ms < done_ms <= depart_ms:
        msg = "a session arrives before it is done, and departs after"
        raise ValueError(msg)
    return Session(
        plug_in_ms=arrive_ms,
        unplug_ms=depart_ms,
        points=((0, 1), (done_ms - arrive_ms, 1)),
        phases=phases,
        energy_units=int(Fraction(energy_wh) * UNITS_PER_WH),
        tag=tag,
    )


def constant_then_taper(
    start_ms: int, power_mw: int, energy_units: int | None, until_ms: int, taper_ms: int
) -> tuple[Point, ...]:
    """Return full power from ``start_ms`` on, then the taper of a full battery.

    The energy, where given, ends it; ``until_ms`` ends it in any case (step to zero).
    """
    if energy_units is None:
        return ((start_ms, power_mw), (until_ms, power_mw))
    steps = len(TAPER) - 1
    mean = sum((a + b) / 2 for a, b in pairwise(TAPER)) / steps
    full_ms = int((Fraction(energy_units, 2 * power_mw)) - mean * taper_ms)
    if full_ms < 0:  # a nearly full car tapers from the first minute on
        taper_ms, full_ms = int(Fraction(energy_units, 2 * power_mw) / mean), 0
    points = [(start_ms, power_mw)]
    points += [
        (start_ms + full_ms + taper_ms * step // steps, int(share * power_mw))
        for step, share in enumerate(TAPER)
    ]
    return cut(points, until_ms)


def cut(points: Sequence[Point], until_ms: int) -> tuple[Point, ...]:
    """Return the shape up to an instant, interpolated there."""
    kept = [point for point in points if point[0] <= until_ms]
    if kept and len(kept) < len(points) and kept[-1][0] < until_ms:
        kept.append((until_ms, power_mw(points, until_ms)))
    return tuple(kept)


def with_pause(points: Sequence[Point], from_ms: int, to_ms: int) -> tuple[Point, ...]:
    """Return the shape with a pause; what would have come then comes after it."""
    level = power_mw(points, from_ms)
    before = [point for point in points if point[0] < from_ms]
    after = [(at + to_ms - from_ms, power) for at, power in points if at >= from_ms]
    if not before or not after:
        return tuple(points)
    gap = [(from_ms, level), (from_ms, 0), (to_ms, 0), (to_ms, level)]
    return (*before, *gap, *after)


def power_mw(points: Sequence[Point], at_ms: int) -> int:
    """Return the power of a shape at an instant; 0 outside, the later value at a step."""
    index = bisect_right(points, at_ms, key=lambda point: point[0])
    if index == 0:
        return 0
    if index == len(points):
        return points[-1][1] if points[-1][0] == at_ms and index == 1 else 0
    (from_ms, from_mw), (to_ms, to_mw) = points[index - 1], points[index]
    return from_mw + (to_mw - from_mw) * (at_ms - from_ms) // (to_ms - from_ms)


@dataclass(frozen=True, slots=True)
class Moment:
    """A charging point at one instant; session and ``plugged_ms`` count from the plug-in."""

    plugged: bool
    power_mw: int
    energy_units: int
    session_units: int
    phases: str
    is_waiting: bool
    plugged_ms: int = 0
    tag: str = ""


class Course:
    """All sessions of one charging point, ready to be asked for any instant.

    With ``repeat_ms`` they repeat for ever, into the past as well; the register at the scenario's
    start (instant 0) is then the reference, and energy before it is negative.
    """

    def __init__(self, sessions: Sequence[Session], repeat_ms: int | None) -> None:
        ordered = sorted(sessions, key=lambda session: session.plug_in_ms)
        self._sessions = [_Shape(session) for session in ordered]
        self._starts = [session.plug_in_ms for session in ordered]
        self._repeat_ms = repeat_ms
        self._before = [0, *accumulate(shape.total for shape in self._sessions)]
        self._offset = 0
        if repeat_ms is not None:
            self._offset = self._unplaced(0)[1]

    def at(self, at_ms: int) -> Moment:
        """Return the charging point at an instant, in milliseconds after the start."""
        moment, energy = self._unplaced(at_ms)
        shape, elapsed_ms = moment
        energy -= self._offset
        if shape is None or elapsed_ms >= shape.length_ms:
            return Moment(
                plugged=False,
                power_mw=0,
                energy_units=energy,
                session_units=0,
                phases="",
                is_waiting=False,
            )
        return Moment(
            plugged=True,
            power_mw=shape.power_mw(elapsed_ms),
            energy_units=energy,
            session_units=shape.energy(elapsed_ms),
            phases=shape.session.phases,
            is_waiting=elapsed_ms < shape.first_ms,
            plugged_ms=elapsed_ms,
            tag=shape.session.tag,
        )

    def _unplaced(self, at_ms: int) -> "tuple[tuple[_Shape | None, int], int]":
        """Return the latest session with the time since its plug-in, and the energy so far."""
        round_, within_ms = divmod(at_ms, self._repeat_ms) if self._repeat_ms else (0, at_ms)
        index = bisect_right(self._starts, within_ms) - 1
        if index < 0 and self._repeat_ms and self._sessions:
            round_, within_ms, index = (
                round_ - 1,
                within_ms + self._repeat_ms,
                len(self._sessions) - 1,
            )
        energy = round_ * self._before[-1]
        if index < 0:
            return (None, 0), energy
        shape = self._sessions[index]
        elapsed_ms = within_ms - self._starts[index]
        return (shape, elapsed_ms), energy + self._before[index] + shape.energy(elapsed_ms)


class _Shape:
    """One session's power and its integral, exact."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.length_ms = session.unplug_ms - session.plug_in_ms
        points = cut(session.points, self.length_ms) or ((0, 0),)
        self._at = [at for at, _ in points]
        self._mw = [power for _, power in points]
        areas = [
            (power + next_power) * (next_at - at)
            for (at, power), (next_at, next_power) in pairwise(points)
        ]
        self._area = [0, *accumulate(areas)]
        full = self._area[-1]
        self.total = full if session.energy_units is None or not full else session.energy_units
        self._full = full or 1
        self.first_ms = self._at[0]

    def power_mw(self, elapsed_ms: int) -> int:
        """Return the power, stretched to the session's energy."""
        index = bisect_right(self._at, elapsed_ms)
        if index in (0, len(self._at)):
            return 0
        from_ms, from_mw = self._at[index - 1], self._mw[index - 1]
        rise, run = self._mw[index] - from_mw, self._at[index] - from_ms
        stretched = (from_mw * run + rise * (elapsed_ms - from_ms)) * self.total
        return stretched // (run * self._full)

    def energy(self, elapsed_ms: int) -> int:
        """Return the energy since the plug-in in half microjoules: 2·p₀·t + Δp·t²/T, stretched."""
        index = bisect_right(self._at, elapsed_ms)
        if index == 0:
            return 0
        if index == len(self._at):
            return self.total
        from_ms, from_mw = self._at[index - 1], self._mw[index - 1]
        rise, run = self._mw[index] - from_mw, self._at[index] - from_ms
        time_ms = elapsed_ms - from_ms
        area = self._area[index - 1] * run + 2 * from_mw * time_ms * run + rise * time_ms * time_ms
        return area * self.total // (self._full * run)
