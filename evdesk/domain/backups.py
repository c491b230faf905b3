"""Backups: what one says of itself, when one is due, and which ones may go."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NewType
from zoneinfo import ZoneInfo

from evdesk.domain.notes import Head

BackupId = NewType("BackupId", str)

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file as it tells of itself; only verifying it proves any of this."""

    id: BackupId
    file: Path
    site_id: str
    created_at: datetime
    size_bytes: int
    schema_version: int
    program: str
    head: Head
    signed: bool


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """What there is of a local month; ``gross`` is decimal amounts by currency."""

    sessions: int = 0
    energy_wh: int = 0
    invoices: int = 0
    gross: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Totals:
    """What there is in a site, to be compared with what comes out of its backup."""

    months: Mapping[str, MonthTotals]
    readings: int


class ScheduleState(StrEnum):
    """Undecided until somebody turns it on or off."""

    UNDECIDED = "undecided"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When and where the collector makes backups; ``folder`` None is the site's own.

    ``at_minute`` is of the local day. ``watched_at`` is since when a missing backup counts.
    """

    state: ScheduleState
    folder: Path | None
    at_minute: int
    keep_days: int
    watched_at: datetime | None
    made_at: datetime | None


def last_due(now: datetime, tz: str, at_minute: int) -> datetime:
    """Return the newest instant at which a backup was due by the clock of the site."""
    zone = ZoneInfo(tz)
    at = time(*divmod(at_minute, 60))
    today = now.astimezone(zone).date()
    due = datetime.combine(today, at, zone)
    return due if due <= now else datetime.combine(today - DAY, at, zone)


def is_due(schedule: Schedule, now: datetime, tz: str) -> bool:
    """Return whether the collector is to make one: none was made since it was due last."""
    if schedule.state is not ScheduleState.ON:
        return False
    return schedule.made_at is None or schedule.made_at < last_due(now, tz, schedule.at_minute)


def missing_since(
    schedule: Schedule, last_made_at: datetime | None, now: datetime, patience: timedelta
) -> datetime | None:
    """Return since when there is no backup, or None while that is no longer than it may be.

    Who turned backups off wants to hear no more of it.
    """
    known = [at for at in (schedule.watched_at, last_made_at) if at is not None]
    if schedule.state is ScheduleState.OFF or not known:
        return None
    return max(known) if now - max(known) > patience else None


def expired(
    found: Sequence[Backup], verified: Collection[BackupId], now: datetime, keep_days: int
) -> list[Backup]:
    """Return the backups that are kept for long enough; the newest proven one never is.

    Where none is proven, the newest of all stays.
    """
    ordered = sorted(found, key=lambda one: one.created_at)
    proven = [one for one in ordered if one.id in verified] or ordered
    limit = now - timedelta(days=keep_days)
    return [one for one in ordered if one.created_at < limit and one is not proven[-1]]
