"""A time axis in the site's zone: ticks at round local times, dates where a day begins."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyqtgraph as pg
from PySide6.QtCore import QDate, QLocale

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
STEPS_S = (
    1, 2, 5, 10, 15, 30,
    MINUTE_S, 2 * MINUTE_S, 5 * MINUTE_S, 10 * MINUTE_S, 15 * MINUTE_S, 30 * MINUTE_S,
    HOUR_S, 2 * HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S,
    DAY_S, 2 * DAY_S, 7 * DAY_S, 28 * DAY_S,
)  # fmt: skip
LABEL_PX = 84


class TimeAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is untyped
    """Values are seconds since 1970, labels local times; right also on the days of 23 or 25 h."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__(orientation="bottom")
        self.zone = zone
        self.enableAutoSIPrefix(False)

    def tickValues(
        self,
        minVal: float,  # noqa: N803 - pyqtgraph's names
        maxVal: float,  # noqa: N803
        size: float,
    ) -> list[tuple[float, list[float]]]:
        step_s = self.step_s(maxVal - minVal, size)
        return [(float(step_s), local_ticks(minVal, maxVal, step_s, self.zone))]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [tick_text(value, spacing, self.zone) for value in values]

    def step_s(self, span_s: float, width_px: float) -> int:
        """Return the smallest round step whose labels do not touch."""
        wanted = span_s * LABEL_PX / max(width_px, LABEL_PX)
        return next((step for step in STEPS_S if step >= wanted), STEPS_S[-1])

    def generateDrawSpecs(self, p: Any) -> Any:
        if self.width() < LABEL_PX:
            return None
        return super().generateDrawSpecs(p)


def local_ticks(from_s: float, to_s: float, step_s: int, zone: ZoneInfo) -> list[float]:
    """Return instants at which the local clock shows a multiple of the step."""
    if to_s - from_s > 400 * step_s:
        return []
    if step_s < HOUR_S:  # offsets of zones are multiples of 15 min, steps below 1 h divide 30 min
        offset_s = _offset_s(from_s, zone)
        first = -(-(from_s + offset_s) // step_s) * step_s - offset_s
        return [first + n * step_s for n in range(int((to_s - first) // step_s) + 1)]
    start = datetime.fromtimestamp(from_s, zone).replace(minute=0, second=0, microsecond=0)
    days = step_s // DAY_S
    wall = start.replace(hour=0, tzinfo=None)
    ticks: list[float] = []
    while True:
        at_s = wall.replace(tzinfo=zone).timestamp()
        if at_s > to_s:
            return ticks
        wanted = days <= 1 or wall.toordinal() % days == 0
        if at_s >= from_s and wanted:
            ticks.append(at_s)
        wall += timedelta(days=1) if days else timedelta(seconds=step_s)


def tick_text(at_s: float, step_s: float, zone: ZoneInfo) -> str:
    """Return the time of day, or the date where a day begins."""
    local = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return QLocale().toString(QDate(local.year, local.month, local.day), "ddd d MMM")
    return local.strftime("%H:%M:%S" if step_s < MINUTE_S else "%H:%M")


def _offset_s(at_s: float, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    return offset.total_seconds() if offset else 0.0
