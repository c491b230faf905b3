"""The register of breaches and its 72 hours, on a real site."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evdesk.documents.tables import Tables
from evdesk.domain.breaches import BreachFacts
from evdesk.services.breaches import BreachService
from tests.services.desk import Desk

FACTS = BreachFacts("a notebook was lost", "names", 30, None, "spam", "key changed", "Ada, office")
HOUR = timedelta(hours=1)


@pytest.fixture
def breaches(desk: Desk) -> BreachService:
    return BreachService(desk.store, desk.clock, Tables())


def test_the_authority_is_told_within_72_hours(desk: Desk, breaches: BreachService) -> None:
    aware_at = desk.clock.now() - 70 * HOUR
    one = breaches.add(FACTS, aware_at)
    assert (one.hours_left, one.late, one.is_exception) == (2, False, False)
    late = breaches.add(FACTS, aware_at - 4 * HOUR)
    assert (late.hours_left, late.late, late.is_exception) == (-2, True, True)
    told = replace(FACTS, authority_told_at=desk.clock.now())
    too_late = breaches.update(late.breach.id, told)
    assert (too_late.hours_left, too_late.late, too_late.is_exception) == (None, True, False)
    assert [each.breach.id for each in breaches.all()] == [late.breach.id, one.breach.id]


def test_an_unlikely_risk_need_not_be_told_and_says_why(
    desk: Desk, breaches: BreachService
) -> None:
    one = breaches.add(replace(FACTS, risk="the disk was encrypted"), desk.clock.now() - 99 * HOUR)
    assert (one.hours_left, one.late) == (None, False)


def test_every_account_is_kept_and_exported(desk: Desk, breaches: BreachService) -> None:
    one = breaches.add(FACTS)
    breaches.update(one.breach.id, replace(FACTS, records=120))
    kept = breaches.get(one.breach.id)
    assert [each.facts.records for each in kept.accounts] == [None, 120]
    data, rows = breaches.export(".csv")
    assert rows == 2
    assert data.count(b"a notebook was lost") == 2
    assert "notebook" not in str(desk.audit())


def test_what_cannot_be_is_refused(desk: Desk, breaches: BreachService) -> None:
    now = desk.clock.now()
    with desk.refused("Say what happened"):
        breaches.add(replace(FACTS, nature=" "))
    with desk.refused("happens first"):
        breaches.add(FACTS, now, now + HOUR)
    with desk.refused("happens first"):
        breaches.add(FACTS, now + HOUR)
    with desk.refused("Nobody is told before"):
        breaches.add(replace(FACTS, authority_told_at=now - HOUR), now)
    one = breaches.add(FACTS)
    with desk.refused("is known of breach 1 already"):
        breaches.update(one.breach.id, FACTS)
