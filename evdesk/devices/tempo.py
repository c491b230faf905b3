"""How time is kept on a bus: limits, silences, and when to try again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from evdesk.devices.failures import TooEarly
from evdesk.domain.errors import DeviceError
from evdesk.settings import POLLING, Polling


@dataclass(frozen=True, slots=True)
class Tempo:
    """How time is kept: seconds for back-off, the limit of a request, whether gaps are waited."""

    now_s: Callable[[], float]
    timeout_s: float
    keeps_gaps: bool
    polling: Polling = POLLING


@dataclass(frozen=True, slots=True)
class Quiet:
    """The silence one device wants between two requests; from the request or from its answer."""

    gap_s: float = 0.0
    from_request: bool = False


class Backoff:
    """Says when something that failed may be tried again: first soon, then ever later.

    In stepped time the wait is over when either clock says so: a site whose clock stands still
    because nothing answers must be able to try again.
    """

    def __init__(self, tempo: Tempo) -> None:
        self._tempo = tempo
        self._least_s = tempo.polling.backoff_first_s
        self._delay_s = 0.0
        self._until_s = 0.0
        self._until_wall_s = 0.0
        self._last: DeviceError | None = None

    def wait_at_least(self, seconds: float) -> None:
        """Never try again sooner than that after a failure."""
        self._least_s = max(self._least_s, seconds)

    def check(self) -> None:
        """Raise the last error again while it is too early to try.

        Raises:
            TooEarly: with what happened the last time.

        """
        if self._last is None or self._tempo.now_s() >= self._until_s:
            return
        if asyncio.get_running_loop().time() < self._until_wall_s:
            raise TooEarly(self._last.template, **self._last.facts)

    def failed(self, error: DeviceError) -> None:
        """Wait longer than the last time."""
        longest_s = max(self._least_s, self._tempo.polling.backoff_last_s)
        self._delay_s = min(self._delay_s * 2 or self._least_s, longest_s)
        self._until_s = self._tempo.now_s() + self._delay_s
        self._until_wall_s = asyncio.get_running_loop().time() + self._delay_s
        self._last = error

    def worked(self) -> None:
        """Forget every failure."""
        self._delay_s = 0.0
        self._last = None
