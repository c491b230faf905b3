"""Writes down that consents are over, once they are; they are over without that, too."""

import logging

from evdesk.domain.errors import StorageError
from evdesk.ports import Clock, Store
from evdesk.services.recording import Moment, expire

LOG = logging.getLogger(__name__)
AT_ONCE = 50  # in one transaction


class ConsentKeeper:
    """Works beside the collector, once an hour."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def step(self) -> int:
        """Write what has expired since; return how many consents it was.

        A database that is busy leaves the rest to the next hour.
        """
        now, count = self._clock.now(), 0
        try:
            with self._store.read() as unit:
                over = [event for event in unit.consents.latest() if event.lapsed(now)]
            for first in range(0, len(over), AT_ONCE):
                with self._store.journal() as unit:
                    for event in over[first : first + AT_ONCE]:
                        purpose = unit.purposes.get(event.purpose)
                        if purpose is not None:
                            events = unit.consents.of(event.person, event.purpose)
                            moment = Moment(now, self._store.actor.ref)
                            count += len(expire(unit, events, purpose, moment))
        except StorageError as error:
            LOG.info("Expired consents are written down later: %s", error)
        return count
