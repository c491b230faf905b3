"""The site at a glance."""

from datetime import timedelta

from evdesk.settings import JOURNAL
from tests.fakes.clock import START
from tests.services.desk import SITE, Desk


def test_a_site_counts_what_it_has(desk: Desk) -> None:
    desk.add_meter()
    desk.charge(None)
    info = desk.site.info()
    assert (info.site, info.meters, info.sessions, info.readings) == (SITE, 1, 1, 0)
    assert info.db_bytes > 0
    assert not info.running


def test_a_collector_runs_while_it_is_heard_of(desk: Desk) -> None:
    with desk.store.journal() as unit:
        unit.collector.take(4711, "pc", START)
    assert desk.site.info().running
    desk.clock.at = START + timedelta(seconds=JOURNAL.lease_s + 1)
    assert not desk.site.info().running


def test_a_stop_is_a_wish_in_the_row_that_the_collector_watches(desk: Desk) -> None:
    desk.site.stop_collector()
    assert desk.site.info().collector.stop_requested
