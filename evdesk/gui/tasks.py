"""Work off the GUI thread; what comes of it is handled on the GUI thread."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

from evdesk.domain.errors import EvdeskError

log = logging.getLogger(__name__)
T = TypeVar("T")
Failed = Callable[[Exception], object]


class Lane(Enum):
    """Where work queues: one database job at a time, beside it devices and files, and pictures."""

    DATABASE = "database"
    OUTSIDE = "outside"
    PICTURES = "pictures"


WORKERS = {Lane.DATABASE: 1, Lane.OUTSIDE: 2, Lane.PICTURES: 1}


@dataclass(frozen=True, slots=True)
class _Job:
    future: "Future[Any]"
    done: Callable[[Any], object]
    failed: Failed


class Tasks(QObject):
    """Runs jobs in worker threads and hands results to bound methods on the GUI thread.

    Lanes are served in order. A result whose receiver is gone is dropped. This is the edge of the
    worker threads: any exception ends here, and one that is no EvdeskError is logged as a bug.
    """

    failed = Signal(object)
    _came_back = Signal(object)

    def __init__(
        self, parent: QObject | None = None, lanes: Mapping[Lane, Executor] | None = None
    ) -> None:
        super().__init__(parent)
        self._lanes = lanes or {
            lane: ThreadPoolExecutor(count, f"evdesk-{lane.value}")
            for lane, count in WORKERS.items()
        }
        self._stopped = False
        # Queued: a job that is done before run() returns must not call back from within run().
        self._came_back.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Failed | None = None,
        lane: Lane = Lane.DATABASE,
    ) -> None:
        """Run ``work`` in a lane; then ``done`` with its result or ``failed`` with its error."""
        if self._stopped:
            return
        future = self._lanes[lane].submit(work)
        job = _Job(future, done, failed or self.failed.emit)
        future.add_done_callback(lambda _: self._bring_back(job))

    def run_async(
        self,
        work: Callable[[], Coroutine[Any, Any, T]],
        done: Callable[[T], object],
        failed: Failed | None = None,
    ) -> None:
        """Run a coroutine, which may wait for devices, in an event loop of its own."""
        import asyncio  # takes longer than the window has to be there

        self.run(lambda: asyncio.run(work()), done, failed, Lane.OUTSIDE)

    @property
    def stopped(self) -> bool:
        """Return whether nothing more is taken; what runs ends as soon as it asks."""
        return self._stopped

    def stop(self) -> None:
        """Drop what waits, wait for what runs; afterwards no thread is left."""
        self._stopped = True
        for pool in self._lanes.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _bring_back(self, job: _Job) -> None:
        """In the worker: hand over to the GUI thread, unless that has stopped listening."""
        if not self._stopped:
            self._came_back.emit(job)

    def _deliver(self, job: _Job) -> None:
        error = job.future.exception() if not job.future.cancelled() else None
        if self._stopped or job.future.cancelled():
            return
        receiver: Callable[[Any], object] = job.done if error is None else job.failed
        if error is not None and not isinstance(error, EvdeskError):
            log.error("a job failed", exc_info=error)
        if _is_alive(receiver):
            receiver(job.future.result() if error is None else error)


class Latest(QObject):
    """Reads for one view: one read at a time, and once more where it was asked for meanwhile.

    ``begin`` returns the work as it is wanted at that moment.
    """

    def __init__(
        self,
        tasks: Tasks,
        begin: Callable[[], Callable[[], T]],
        done: Callable[[T], object],
        failed: Failed,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._begin = tasks, begin
        self._done: Callable[[Any], object] = done
        self._failed = failed
        self.runs, self._again = False, False

    def ask(self) -> None:
        """Read, or read once more as soon as the read that runs has come back."""
        if self.runs:
            self._again = True
            return
        self.runs, self._again = True, False
        self._tasks.run(self._begin(), self._on_done, self._on_failed)

    def _on_done(self, found: object) -> None:
        self.runs = False
        self._done(found)
        self._go_on()

    def _on_failed(self, error: Exception) -> None:
        self.runs = False
        self._failed(error)
        self._go_on()

    def _go_on(self) -> None:
        if self._again:
            self.ask()


def _is_alive(receiver: Callable[[Any], object]) -> bool:
    if isinstance(receiver, partial):
        return _is_alive(receiver.func)
    owner = getattr(receiver, "__self__", None)
    return not isinstance(owner, QObject) or shiboken6.isValid(owner)
