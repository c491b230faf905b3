"""The site at a glance."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.site import Site
from evdesk.ports import ArchiveState, Clock, CollectorState, Store
from evdesk.services.permitting import permit
from evdesk.settings import ARCHIVE, JOURNAL


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
    sealed_readings: int
    archive: ArchiveState


class SiteService:
    """Use cases of the site itself; ``wall`` is the real clock, also on demo sites."""

    def __init__(self, store: Store, wall: Clock) -> None:
        self._store, self._wall = store, wall

    @permit(Action.LOOK)
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
                sealed_readings=unit.readings.sealed(),
                archive=unit.archive.state(),
            )

    @permit(Action.CHANGE_SETTINGS)
    def set_thinning(self, after_days: int | None) -> None:
        """Thin readings to quarter hours when they are older than so many days; None never does.

        The collector does it, with the next hour it seals; what was thinned out does not come back.
        """
        if after_days is not None and not ARCHIVE.fewest_days <= after_days <= ARCHIVE.most_days:
            raise UserError(
                "Readings can be thinned out after {fewest} to {most} days, or never; "
                "{days} is neither. Nothing was changed.",
                fewest=ARCHIVE.fewest_days,
                most=ARCHIVE.most_days,
                days=after_days,
            )
        with self._store.write() as unit:
            before = unit.archive.state().thin_after_days
            if before == after_days:
                return
            unit.archive.set_thinning(after_days)
            facts = {"after_days": after_days, "before": before}
            unit.record_change(Change("archive.set", "site", unit.site.load().id, facts))

    @permit(Action.RUN_COLLECTOR)
    def demand_collecting(self) -> None:
        """Refuse to whoever may not let the collector run: it writes in its own name.

        Raises:
            NotPermitted: the actor's role may not.

        """

    @permit(Action.RUN_COLLECTOR)
    def stop_collector(self) -> None:
        """Ask the collector to end; it does within a second or two."""
        with self._store.journal() as unit:
            unit.collector.request_stop()


def is_running(collector: CollectorState, now: datetime) -> bool:
    """Return whether the collector holds its lease and was heard of lately."""
    if collector.pid is None or collector.heartbeat_at is None:
        return False
    return now - collector.heartbeat_at <= timedelta(seconds=JOURNAL.lease_s)
