"""A kW axis with few, round lines."""

from collections.abc import Sequence

import pyqtgraph as pg

from evdesk.gui import texts

STEPS_KW = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
LEAST_PX = 38


class PowerAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is untyped
    """Lines at multiples of 1, 2 or 5, at least 38 px apart."""

    def __init__(self) -> None:
        super().__init__(orientation="left")
        self.enableAutoSIPrefix(False)

    def tickValues(
        self,
        minVal: float,  # noqa: N803 - pyqtgraph's names
        maxVal: float,  # noqa: N803
        size: float,
    ) -> list[tuple[float, list[float]]]:
        wanted = (maxVal - minVal) * LEAST_PX / max(size, LEAST_PX)
        step_kw = next((step for step in STEPS_KW if step >= wanted), STEPS_KW[-1])
        first = -int(-minVal // step_kw)
        count = int((maxVal - first * step_kw) / step_kw + 1e-9) + 1
        return [(step_kw, [(first + n) * step_kw for n in range(max(count, 0))])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        decimals = 0 if spacing >= 1 else 2 if spacing < 0.1 else 1
        return [texts.number(value, decimals) for value in values]
