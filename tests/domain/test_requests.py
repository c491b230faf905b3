"""A request has one month, three where that was told in time, and a person who is known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.requests import (
    ENDED,
    MOVES,
    IdentityCheck,
    Request,
    RequestEvent,
    RequestId,
    RequestKind,
    RequestState,
    months_after,
    overdue,
)
from evdesk.domain.site import DriverId

TZ = "Europe/Berlin"
RECEIVED = date(2026, 1, 31)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def request(*states: RequestState, received_on: date = RECEIVED) -> Request:
    check = {RequestState.IDENTIFIED: IdentityCheck.KNOWN}
    begin = at("2026-01-31T10:00")
    events = [
        RequestEvent(begin + timedelta(days=n), state, "A-1", check=check.get(state))
        for n, state in enumerate((RequestState.RECEIVED, *states))
    ]
    return Request(RequestId(1), DriverId("D-1"), RequestKind.ACCESS, received_on, tuple(events))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-11-23", 1, "2026-12-23"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-03-31", 1, "2026-04-30"),
    ],
)
def test_a_month_ends_on_the_day_of_the_same_number_or_the_last(day, months, expected) -> None:
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(expected)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 40))
def test_a_span_of_months_is_never_longer_than_it_says(day: date, months: int) -> None:
    end = months_after(day, months)
    assert (end.year - day.year) * 12 + end.month - day.month == months
    assert end.day <= day.day


@pytest.mark.parametrize("before", [None, *RequestState])
@pytest.mark.parametrize("after", list(RequestState))
def test_every_move_is_in_the_table_or_refused(before, after) -> None:
    if before is None:
        assert (after in MOVES[None]) == (after is RequestState.RECEIVED)
        return
    known = replace(request(), events=(
        RequestEvent(at("2026-01-31T10:00"), before, "A-1", check=IdentityCheck.CARD),
    ))  # fmt: skip
    allowed = known.may_move(after, at("2026-02-01T10:00"), TZ)
    assert allowed == (after in MOVES[before] and after is not before)
    assert not (before in ENDED and allowed)


def test_nothing_is_answered_before_it_is_known_who_asks() -> None:
    now = at("2026-02-03T10:00")
    assert not request().may_move(RequestState.ANSWERED, now, TZ)
    assert not request(RequestState.EXTENDED).may_move(RequestState.ANSWERED, now, TZ)
    assert request(RequestState.IDENTIFIED).may_move(RequestState.ANSWERED, now, TZ)


def test_it_is_extended_once_and_within_the_first_month() -> None:
    known = request(RequestState.IDENTIFIED)
    assert known.due_on == date(2026, 2, 28)
    assert known.may_move(RequestState.EXTENDED, at("2026-02-28T22:59"), TZ)
    assert not known.may_move(RequestState.EXTENDED, at("2026-02-28T23:00"), TZ)  # 1 March there
    extended = request(RequestState.IDENTIFIED, RequestState.EXTENDED)
    assert extended.due_on == date(2026, 4, 30)
    assert not extended.may_move(RequestState.EXTENDED, at("2026-02-03T10:00"), TZ)


def test_what_is_late_is_listed_and_what_has_ended_is_not() -> None:
    now = at("2026-03-01T12:00")
    early = request(received_on=date(2026, 1, 10))
    open_ones = [request(), early, request(received_on=date(2026, 2, 20))]
    ended = [request(RequestState.IDENTIFIED, state) for state in ENDED]
    assert overdue([*open_ones, *ended], now, TZ) == [early, open_ones[0]]
    assert open_ones[0].days_left(now, TZ) == -1
