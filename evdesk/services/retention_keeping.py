"""The keeper of retention: erases what is due once a day, beside the collector."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from evdesk.domain.errors import StorageError
from evdesk.domain.retention import Offered
from evdesk.ports import Clock, Store
from evdesk.services.retaining import RetentionWork
from evdesk.services.rule_book import RuleBook
from evdesk.settings import RETAINING

LOG = logging.getLogger(__name__)
RETRY = timedelta(seconds=RETAINING.retry_s)
EVERY = timedelta(hours=RETAINING.every_h)
FIRST = timedelta(seconds=RETAINING.first_after_s)


class RetentionKeeper:
    """Works beside the collector of a real site, in a thread of its own; never on a demo site.

    The first run waits until the collector has been at work for a while. One that was cut off goes
    on then. ``rest`` is given how long the others are to come to write.
    """

    def __init__(
        self, store: Store, offered: Offered, wall: Clock, rest: Callable[[float], None]
    ) -> None:
        self._store, self._wall = store, wall
        self._work = RetentionWork(store, RuleBook(offered), wall, rest)
        self._next_at: datetime | None = None

    def step(self) -> bool:
        """Run retention if it is time; return whether it ran.

        A database that is busy or fails is tried again later: what was done stays done.
        """
        now = self._wall.now()
        if self._next_at is None:
            self._next_at = now + FIRST
        if now < self._next_at <= now + EVERY:
            return False
        if not self._is_time(now):
            self._next_at = now + RETRY
            return False
        self._next_at = now + EVERY
        try:
            done = self._work.run(now)
        except StorageError as error:
            LOG.info("Retention goes on later: %s", error)
            self._next_at = now + RETRY
            return False
        for one in done:
            if not one.verified:
                LOG.info("Rule %s: %s left over", one.planned.rule.id, one.left)
        return True

    def _is_time(self, now: datetime) -> bool:
        with self._store.read() as unit:
            last, open_run = unit.retention.last_run_at(), unit.retention.open_run()
        return open_run is not None or last is None or not last <= now < last + EVERY - RETRY
