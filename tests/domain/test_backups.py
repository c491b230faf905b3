"""When a backup is due, when one is missed, and which ones may go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.backups import (
    Backup,
    BackupId,
    Schedule,
    ScheduleState,
    expired,
    is_due,
    last_due,
    missing_since,
)
from evdesk.domain.notes import Head

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TZ = "Europe/Berlin"
THREE_DAYS = timedelta(days=3)
ON = Schedule(ScheduleState.ON, None, 3 * 60, 30, NOW, None)


def backup(days_old: float, name: str = "") -> Backup:
    return Backup(
        id=BackupId(name or f"B-{days_old}"),
        file=Path(f"{days_old}.zip"),
        site_id="S-1",
        created_at=NOW - timedelta(days=days_old),
        size_bytes=1,
        schema_version=15,
        program="1",
        head=Head(1, bytes(32)),
        signed=True,
    )


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-10T12:00:00+01:00", "2026-03-10T03:00:00+01:00"),
        ("2026-03-10T02:59:59+01:00", "2026-03-09T03:00:00+01:00"),
        ("2026-03-10T03:00:00+01:00", "2026-03-10T03:00:00+01:00"),
        ("2026-03-29T12:00:00+02:00", "2026-03-29T03:00:00+02:00"),  # the night with 23 hours
        ("2026-10-25T12:00:00+01:00", "2026-10-25T03:00:00+01:00"),  # the one with 25
    ],
)
def test_a_backup_is_due_at_a_time_of_day_at_the_site(now: str, due: str) -> None:
    found = last_due(datetime.fromisoformat(now).astimezone(UTC), TZ, 3 * 60)
    assert found == datetime.fromisoformat(due)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 1439),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_it_was_due_within_the_last_day_or_so(now: datetime, at_minute: int, tz: str) -> None:
    due = last_due(now, tz, at_minute)
    assert timedelta(0) <= now - due <= timedelta(hours=25)


def test_one_that_was_missed_is_made_as_soon_as_it_can_be() -> None:
    yesterday = NOW - timedelta(days=1)
    assert is_due(ON, NOW, TZ)
    assert is_due(replace(ON, made_at=yesterday), NOW, TZ)
    assert not is_due(replace(ON, made_at=NOW.replace(hour=2)), NOW, TZ)  # 3:00 in Berlin
    assert is_due(replace(ON, made_at=NOW.replace(hour=2)), NOW + timedelta(days=1), TZ)
    for state in (ScheduleState.OFF, ScheduleState.UNDECIDED):
        assert not is_due(replace(ON, state=state), NOW, TZ)


def test_none_for_three_days_is_too_long_unless_nobody_wants_any() -> None:
    late = NOW + timedelta(days=4)
    assert missing_since(ON, None, late, THREE_DAYS) == NOW
    assert missing_since(ON, late - timedelta(days=2), late, THREE_DAYS) is None
    assert missing_since(ON, NOW - timedelta(days=9), NOW, THREE_DAYS) is None  # just turned on
    undecided = replace(ON, state=ScheduleState.UNDECIDED)
    assert missing_since(undecided, None, late, THREE_DAYS) == NOW
    assert missing_since(replace(undecided, watched_at=None), None, late, THREE_DAYS) is None
    assert missing_since(replace(ON, state=ScheduleState.OFF), None, late, THREE_DAYS) is None


def test_what_is_old_enough_goes_and_the_newest_proven_one_stays() -> None:
    found = [backup(days) for days in (1, 29, 31, 40, 90)]
    proven = {one.id for one in found}
    assert [one.id for one in expired(found, proven, NOW, 30)] == ["B-90", "B-40", "B-31"]
    assert expired(found[2:], proven, NOW, 30) == [found[4], found[3]]
    assert expired(found, {BackupId("B-40")}, NOW, 30) == [found[4], found[2]]
    assert expired(found[2:], set(), NOW, 30) == [found[4], found[3]]
    assert expired([], set(), NOW, 30) == []


@given(
    st.lists(st.integers(-5, 400), unique=True, max_size=12),
    st.sets(st.integers(-5, 400), max_size=6),
    st.integers(1, 366),
)
def test_one_always_stays_and_nothing_young_goes(
    ages: list[int], proven: set[int], keep_days: int
) -> None:
    found = [backup(age) for age in ages]
    verified = {BackupId(f"B-{age}") for age in proven}
    gone = expired(found, verified, NOW, keep_days)
    kept = [one for one in found if one not in gone]
    assert all(NOW - one.created_at > timedelta(days=keep_days) for one in gone)
    assert bool(kept) == bool(found)
    if any(one.id in verified for one in found):
        assert any(one.id in verified for one in kept)
    assert sum(NOW - one.created_at > timedelta(days=keep_days) for one in kept) <= 1
