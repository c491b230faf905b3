"""Beside the collector, retention runs once a day and goes on where it was cut off."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.retaining import keeping_retention
from evdesk.bootstrap.sites import open_with_key
from evdesk.domain.audit import Change
from evdesk.domain.secrets import Secret
from evdesk.domain.site import PROGRAM
from evdesk.services.retention_keeping import FIRST, RetentionKeeper
from tests.fakes.clock import START
from tests.services.retained import RULES, Retained, no_rest

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def site(folder: Path, new_site: tuple[Path, Secret]) -> Iterator[Retained]:
    """A card that is due."""
    site = Retained(folder, new_site[1])
    kim = site.add_driver()
    site.cards.add(kim, "04A2F31B")
    site.cards.lost("04A2F31B")
    site.to("2026-06-01")
    yield site
    site.store.close()


def keeper_of(site: Retained) -> RetentionKeeper:
    return RetentionKeeper(site.store.acting_as(PROGRAM), RULES, site.clock, no_rest)


def test_it_waits_for_the_collector_to_have_begun_and_then_runs_once_a_day(site: Retained) -> None:
    keeper = keeper_of(site)
    assert not keeper.step()
    site.clock.at += FIRST - timedelta(seconds=1)
    assert not keeper.step()
    site.clock.at += timedelta(seconds=1)
    assert keeper.step()
    assert site.count("card") == 0
    assert [one.actor for one in site.retention.log()] == [PROGRAM.ref]
    ran = []
    for _ in range(72):
        site.clock.at += HOUR
        ran.append(keeper.step())
    assert sum(ran) == 3
    assert site.verdict().findings == ()


def test_a_restart_does_not_run_it_again_on_the_same_day(site: Retained) -> None:
    site.run()
    keeper = keeper_of(site)
    keeper.step()
    site.clock.at += FIRST
    assert not keeper.step()
    site.clock.at += DAY
    assert keeper.step()


def test_a_run_that_was_cut_off_goes_on_soon(site: Retained) -> None:
    site.run()
    with site.store.write() as unit:
        unit.retention.begin_run(site.clock.at, site.clock.at, "collector")
        unit.record_change(Change("retention.begun", "run", "2", {}))
    keeper = keeper_of(site)
    keeper.step()
    site.clock.at += FIRST
    assert keeper.step()
    assert not site.work.is_open()


@pytest.mark.slow
def test_a_database_that_is_busy_is_tried_again(site: Retained) -> None:
    keeper = keeper_of(site)
    keeper.step()
    site.clock.at += FIRST
    with site.store.write() as unit:  # a lock that lasts longer than anybody waits
        unit.site.load()
        assert not keeper.step()
    assert site.count("card") == 1
    site.clock.at += HOUR
    assert keeper.step()
    assert site.count("card") == 0


def test_a_clock_that_is_set_back_does_not_stop_it_for_long(site: Retained) -> None:
    keeper = keeper_of(site)
    keeper.step()
    site.clock.at = START + timedelta(days=40)
    assert keeper.step()


def test_the_thread_beside_the_collector_ends_with_it(
    site: Retained, folder: Path, new_site: tuple[Path, Secret]
) -> None:
    opened = open_with_key(folder, new_site[1], PROGRAM)
    with keeping_retention(opened, every_s=0.01):
        pass
    opened.services.store.close()
