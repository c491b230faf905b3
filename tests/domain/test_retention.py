"""Due dates by the calendar of the site: never early, never late."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.errors import UserError
from evdesk.domain.retention import Hold, HoldKind, Period, Rule, Trigger, held

BERLIN = "Europe/Berlin"
ZONES = st.sampled_from([BERLIN, "UTC", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Auckland"])
PERIODS = st.one_of(
    st.builds(Period, st.integers(0, 4_000), st.just("d")),
    st.builds(Period, st.integers(0, 150), st.just("m")),
    st.builds(Period, st.integers(0, 30), st.just("y")),
)
EARLY, LATE = datetime(2010, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001 - the zone is drawn
INSTANTS = st.datetimes(EARLY, LATE, timezones=st.just(UTC))


def rule(period: str | Period, trigger: Trigger = Trigger.PROCESS_END) -> Rule:
    period = Period.parse(period) if isinstance(period, str) else period
    return Rule("r", 1, "invoice", trigger, period, "law", "DE", "", date(2025, 1, 1))


def local(text: str, tz: str = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz))


@pytest.mark.parametrize(
    ("period", "trigger", "at", "due"),
    [
        ("8y", Trigger.YEAR_END, "2026-03-05T14:00", "2035-01-01"),  # the formula of German law
        ("8y", Trigger.YEAR_END, "2026-12-31T23:59", "2035-01-01"),
        ("8y", Trigger.YEAR_END, "2027-01-01T00:00", "2036-01-01"),
        ("7y", Trigger.YEAR_END, "2026-03-05", "2034-01-01"),
        ("3y", Trigger.YEAR_END, "2024-02-29", "2028-01-01"),
        ("30d", Trigger.RELATION_END, "2026-03-05T14:00", "2026-04-05"),
        ("30d", Trigger.RELATION_END, "2026-03-05T00:00", "2026-04-05"),
        ("0d", Trigger.PROCESS_END, "2026-03-05T14:00", "2026-03-06"),
        ("1m", Trigger.PROCESS_END, "2026-01-31", "2026-03-01"),
        ("1m", Trigger.PROCESS_END, "2028-01-31", "2028-03-01"),
        ("12m", Trigger.PROCESS_END, "2026-03-05", "2027-03-06"),
        ("1y", Trigger.PROCESS_END, "2028-02-29", "2029-03-01"),
        ("10y", Trigger.CREATION, "2026-10-25T02:30", "2036-10-26"),
        ("90d", Trigger.PROCESS_END, "2026-01-01T12:00", "2026-04-02"),  # over the change of clocks
    ],
)
def test_what_is_kept_may_go_on_the_day_after_its_period(
    period: str, trigger: Trigger, at: str, due: str
) -> None:
    assert rule(period, trigger).due_at(local(at), BERLIN) == local(due)


def test_the_year_is_that_of_the_site_and_not_of_utc() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # 2027 in Berlin
    assert rule("8y", Trigger.YEAR_END).due_at(new_year, BERLIN) == local("2036-01-01")
    assert rule("8y", Trigger.YEAR_END).due_at(new_year, "UTC") == local("2035-01-01", "UTC")


@given(PERIODS, st.sampled_from(Trigger), INSTANTS, st.integers(-400, 12_000), ZONES)
def test_the_cutoff_divides_what_is_due_from_what_is_not(
    period: Period, trigger: Trigger, at: datetime, days: int, tz: str
) -> None:
    one = rule(period, trigger)
    now = at + timedelta(days=days, seconds=days * 37 % 86_400)
    assert (at < one.cutoff(now, tz)) == (one.due_at(at, tz) <= now)


@given(PERIODS, st.sampled_from(Trigger), INSTANTS, ZONES)
def test_the_cutoff_moves_on_the_instant_at_which_something_is_due(
    period: Period, trigger: Trigger, at: datetime, tz: str
) -> None:
    one = rule(period, trigger)
    due = one.due_at(at, tz)
    assert one.cutoff(due, tz) > at
    assert one.cutoff(due - timedelta(milliseconds=1), tz) <= at


@given(PERIODS, INSTANTS, ZONES)
def test_a_period_is_never_shorter_than_its_days(period: Period, at: datetime, tz: str) -> None:
    least = {"d": 1, "m": 28, "y": 365}[period.unit] * period.count
    due = rule(period).due_at(at, tz)
    whole = due.astimezone(ZoneInfo(tz)).date() - at.astimezone(ZoneInfo(tz)).date()
    assert whole > timedelta(days=least)


@given(PERIODS, PERIODS, INSTANTS)
def test_a_shorter_period_is_known_for_one(one: Period, other: Period, at: datetime) -> None:
    if not one.is_shorter_than(other):
        day = date(2024 + at.year % 4, at.month, min(at.day, 28))
        assert one.after(day) >= other.after(day)


def test_a_month_is_neither_longer_nor_shorter_than_thirty_days() -> None:
    month, days = Period.parse("1m"), Period.parse("30d")
    assert month.is_shorter_than(days)  # from 31 January on
    assert days.is_shorter_than(month)  # from 1 July on
    assert not days.is_shorter_than(days)


@pytest.mark.parametrize("text", ["", "8", "y", "8 y", "-1d", "1.5y", "8w", "999999d"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no period"):
        Period.parse(text)


def test_a_period_beyond_the_calendar_never_ends() -> None:
    far = rule("99999y")
    assert far.due_at(local("2026-03-05"), BERLIN).year == 9999
    assert far.cutoff(local("2026-03-05"), BERLIN).year == 1


def test_a_released_hold_holds_nothing() -> None:
    def hold(kind: HoldKind, what: str, *, over: bool = False) -> Hold:
        at = datetime(2026, 3, 5, tzinfo=UTC)
        return Hold(1, kind, what, "A-1", "court", at, date(2027, 1, 1), at if over else None)

    standing = held([
        hold(HoldKind.PERSON, "D-1"),
        hold(HoldKind.PERSON, "D-2", over=True),
        hold(HoldKind.CLASS, "mail"),
    ])  # fmt: skip
    assert standing.persons == {"D-1"}
    assert standing.classes == {"mail"}
    assert standing.invoices == frozenset()
