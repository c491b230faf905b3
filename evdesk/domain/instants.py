"""Instants are aware datetimes in UTC; on disk they are integer milliseconds since 1970."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Return milliseconds since 1970; exact, no float on the way."""
    return (at - EPOCH) // MILLISECOND


def from_ms(at_ms: int) -> datetime:
    """Return the instant of an integer from disk."""
    return EPOCH + timedelta(milliseconds=at_ms)


def rfc3339(at: datetime) -> str:
    """Return ``2026-03-29T01:00:00Z``, with milliseconds only where there are any (RFC 3339)."""
    utc = at.astimezone(UTC)
    spec = "milliseconds" if utc.microsecond >= 1000 else "seconds"  # noqa: PLR2004
    return utc.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def parse_instant(text: str, tz: str) -> datetime:
    """Return the instant of an ISO date or date-time; without an offset it is local to ``tz``.

    Raises:
        ValueError: the text is no ISO 8601 date or date-time.

    """
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(tz))).astimezone(UTC)


def midnight(day: date, tz: str) -> datetime:
    """Return the instant at which the local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(tz)).astimezone(UTC)


def month_bounds(month: str, tz: str) -> tuple[datetime, datetime]:
    """Return the first instant of a local ``YYYY-MM`` month and of the month after it.

    Raises:
        ValueError: not a month.

    """
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return midnight(first, tz), midnight(following, tz)
