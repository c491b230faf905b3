"""The site at a glance."""

from datetime import timedelta

import pytest

from evdesk.domain.errors import UserError
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


def test_when_readings_are_thinned_out_is_logged_and_only_when_it_changes(desk: Desk) -> None:
    desk.site.set_thinning(30)
    desk.site.set_thinning(30)
    desk.site.set_thinning(None)
    assert desk.site.info().archive.thin_after_days is None
    with desk.store.read() as unit:
        entries = unit.audit.entries(9)
    assert [(one.action, one.facts) for one in entries if one.action == "archive.set"] == [
        ("archive.set", '{"after_days":null,"before":30}'),
        ("archive.set", '{"after_days":30,"before":90}'),
    ]


@pytest.mark.parametrize("days", [0, -3, 36_501])
def test_thinning_after_no_time_or_an_age_is_refused(desk: Desk, days: int) -> None:
    with pytest.raises(UserError, match="Nothing was changed"):
        desk.site.set_thinning(days)
    assert desk.site.info().archive.thin_after_days == 90
