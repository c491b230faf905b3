"""The site at a glance."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.site import Site
from evdesk.ports import Clock, CollectorState, Store
from evdesk.settings import JOURNAL


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What ``evdesk info`` prints."""

    site: Site
    schema_version: int
    meters: int
    sessions: int
    readings: int
    db_bytes: int
    collector: CollectorState
    running: bool


class SiteService:
    """Use cases of the site itself; ``wall`` is the real clock, also on demo sites."""

    def __init__(self, store: Store, wall: Clock) -> None:
        self._store, self._wall = store, wall

    def info(self) -> SiteInfo:
        """Return the site's counts and its collector."""
        with self._store.read() as unit:
            collector = unit.collector.state()
            return SiteInfo(
                site=unit.site.load(),
                schema_version=self._store.schema_version(),
                meters=len(unit.meters.all()),
                sessions=unit.sessions.count(),
                readings=unit.readings.count(),
                db_bytes=self._store.size_bytes(),
                collector=collector,
                running=is_running(collector, self._wall.now()),
            )

    def stop_collector(self) -> None:
        """Ask the collector to end; it does within a second or two."""
        with self._store.journal() as unit:
            unit.collector.request_stop()


def is_running(collector: CollectorState, now: datetime) -> bool:
    """Return whether the collector holds its lease and was heard of lately."""
    if collector.pid is None or collector.heartbeat_at is None:
        return False
    return now - collector.heartbeat_at <= timedelta(seconds=JOURNAL.lease_s)
