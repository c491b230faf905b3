"""Curves as arrays: what a plot draws and what is read off it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evdesk.ports import Curve

Floats = NDArray[np.float64]
K = TypeVar("K")

NICE_KW = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


@dataclass(frozen=True, slots=True)
class Points:
    """A curve: seconds since 1970, ascending, and kW; a NaN is a gap.

    Before ``thinned_until_s`` there are only the lowest and the highest of each quarter hour.
    """

    at_s: Floats
    kw: Floats
    thinned_until_s: float | None = None

    def value_at(self, at_s: float) -> float | None:
        """Return kW at an instant, None in a gap and outside of the curve."""
        after = int(np.searchsorted(self.at_s, at_s))
        if after == len(self.at_s) or (after == 0 and self.at_s[0] != at_s):
            return None
        if self.at_s[after] == at_s:
            value = float(self.kw[after])
        else:
            value = float(
                np.interp(at_s, self.at_s[after - 1 : after + 1], self.kw[after - 1 : after + 1])
            )
        return None if np.isnan(value) else value

    def highest(self, from_s: float, to_s: float) -> float:
        """Return the highest value between two instants, 0 where there is none."""
        first, last = np.searchsorted(self.at_s, (from_s, to_s))
        seen = self.kw[max(int(first) - 1, 0) : int(last) + 1]
        seen = seen[~np.isnan(seen)]
        return float(seen.max()) if len(seen) else 0.0


EMPTY = Points(np.empty(0), np.empty(0))


def points_of(curve: Curve) -> Points:
    """Return a service's curve as arrays; a missing value is NaN."""
    return Points(
        np.array(curve.at_s, dtype=np.float64),
        np.array(curve.power_w, dtype=np.float64) / 1000,
        curve.thinned_until_s,
    )


def all_points(curves: Mapping[K, Curve]) -> dict[K, Points]:
    """Return several curves as arrays."""
    return {key: points_of(curve) for key, curve in curves.items()}


def total(curves: Sequence[Points], from_s: float, to_s: float, count: int) -> Points:
    """Return the sum; it is a gap wherever one of the curves has one."""
    known = [points for points in curves if len(points.at_s)]
    if not known:
        return EMPTY
    at_s = np.linspace(from_s, to_s, count)
    kw = np.zeros(count)
    for points in known:
        kw += np.interp(at_s, points.at_s, points.kw, left=np.nan, right=np.nan)
    return Points(at_s, kw)


def nice_top(highest_kw: float) -> float:
    """Return the next round number of kW that leaves some air above a curve."""
    wanted = max(highest_kw * 1.06, 1.0)
    scale = 1.0
    while True:
        for nice in NICE_KW:
            if nice * scale >= wanted:
                return nice * scale
        scale *= 10 if scale > 1 else 100
