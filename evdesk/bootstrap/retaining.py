"""Retention beside what the collector does: what is due goes, and nobody waits for it."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

from evdesk.bootstrap.services import WallClock
from evdesk.bootstrap.sites import Opened
from evdesk.domain.errors import EvdeskError
from evdesk.services.retention_keeping import RetentionKeeper
from evdesk.settings import RETAINING, shipped
from evdesk.storage.retention_file import shipped_rules

LOG = logging.getLogger(__name__)
JOIN_S = 10.0
TIMES = 2.0  # the keeper asks for half of the time; beside a collector it takes a third


@contextmanager
def keeping_retention(opened: Opened, every_s: float = RETAINING.look_every_s) -> Iterator[None]:
    """Erase what is due of a real site while this lasts, in a thread that mostly rests.

    A run that is on its way when it ends goes on the next time.
    """
    if opened.services.info.demo:
        yield
        return
    stop = threading.Event()

    def rest(seconds: float) -> None:
        if stop.wait(seconds * TIMES):
            raise CancelledError

    offered = shipped_rules(shipped("resources") / "privacy")
    keeper = RetentionKeeper(opened.services.store, offered, WallClock(), rest)

    def work() -> None:
        while not stop.is_set():
            try:
                keeper.step()
            except CancelledError:
                return
            except EvdeskError as error:  # a busy database: next time
                LOG.info("Retention waits: %s", error)
            stop.wait(every_s)

    thread = threading.Thread(target=work, name="retention", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(JOIN_S)
