"""A breach is told within 72 hours of knowing of it, or it is written down why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from evdesk.domain.breaches import Breach, BreachFacts, BreachId

AWARE_AT = datetime(2026, 3, 27, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
FACTS = BreachFacts("laptop stolen", "names, sessions", 40, None, "none seen", "key", "Ada")
BREACH = Breach(BreachId(1), None, AWARE_AT, AWARE_AT + HOUR, "A-1", FACTS)


def told(hours: int) -> Breach:
    facts = replace(FACTS, authority_told_at=AWARE_AT + hours * HOUR)
    return replace(BREACH, facts=facts)


def test_the_authority_is_told_within_72_hours() -> None:
    assert BREACH.is_owed()
    assert not BREACH.is_late(AWARE_AT + 72 * HOUR)
    assert BREACH.is_late(AWARE_AT + 73 * HOUR)
    assert not told(72).is_late(AWARE_AT + 900 * HOUR)
    assert told(73).is_late(AWARE_AT + 73 * HOUR)
    assert not told(73).is_owed()


def test_an_unlikely_risk_is_a_reason_not_to_tell() -> None:
    unlikely = replace(BREACH, facts=replace(FACTS, risk="the disk was encrypted"))
    assert not unlikely.is_owed()
    assert not unlikely.is_late(AWARE_AT + 73 * HOUR)
