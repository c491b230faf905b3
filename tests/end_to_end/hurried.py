"""The wall-clock collector in hurried time: a loop whose seconds are short, a clock that is set."""

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

HURRY = 20  # seconds of the loop in one second of the wall


def hurried_s() -> float:
    """Return seconds that nobody can set, as the hurried loop counts them."""
    return time.monotonic() * HURRY


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / HURRY)


class HurriedLoop(asyncio.SelectorEventLoop):
    """Counts its seconds faster, waits for less."""

    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return hurried_s()


def run_hurried(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine in a hurried loop."""

    async def awaited() -> None:
        await main()

    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        runner.run(awaited())


class SetWallClock:
    """The PC's clock, in hurried time; ``leap`` sets it as people, NTP or an empty battery do."""

    def __init__(self, at: datetime) -> None:
        self._at, self._begun_s = at, hurried_s()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=hurried_s() - self._begun_s)

    def leap(self, by: timedelta) -> None:
        self._at += by
