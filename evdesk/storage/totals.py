"""What there is in a site, month by month: to be compared with what comes out of a backup."""

from collections import Counter, defaultdict
from decimal import Decimal
from zoneinfo import ZoneInfo

from evdesk.domain.backups import MonthTotals, Totals
from evdesk.domain.instants import from_ms
from evdesk.domain.money import Money
from evdesk.storage.connection import Connection
from evdesk.storage.readings import StoredReadings

SESSIONS = "SELECT plugged_in_at_ms, coalesce(energy_wh, 0) FROM session"
INVOICES = "SELECT issued_at_ms, currency, gross_minor FROM invoice"


def totals_of(connection: Connection) -> Totals:
    """Count everything, by months of the site's zone.

    A session counts in the month of its plug-in, an invoice in that of its issue.
    """
    row = connection.one("SELECT tz FROM site")
    zone = ZoneInfo(row[0] if row else "UTC")

    def month(at_ms: int) -> str:
        return f"{from_ms(at_ms).astimezone(zone):%Y-%m}"

    sessions: Counter[str] = Counter()
    energy_wh: Counter[str] = Counter()
    invoices: Counter[str] = Counter()
    gross: dict[str, Counter[str]] = defaultdict(Counter)
    for at_ms, wh in connection.each(SESSIONS):
        sessions[month(at_ms)] += 1
        energy_wh[month(at_ms)] += wh
    for at_ms, currency, minor in connection.each(INVOICES):
        invoices[month(at_ms)] += 1
        gross[month(at_ms)][currency] += minor
    months = {
        name: MonthTotals(sessions[name], energy_wh[name], invoices[name], _amounts(gross[name]))
        for name in sorted(sessions.keys() | invoices.keys())
    }
    return Totals(months, StoredReadings(connection).count())


def dump_totals(totals: Totals) -> dict[str, object]:
    """Return totals as JSON values."""
    months = {
        name: {
            "sessions": one.sessions,
            "energy_wh": one.energy_wh,
            "invoices": one.invoices,
            "gross": {currency: str(amount) for currency, amount in one.gross.items()},
        }
        for name, one in totals.months.items()
    }
    return {"months": months, "readings": totals.readings}


def _amounts(minor: Counter[str]) -> dict[str, Decimal]:
    return {name: Money.from_minor(units, name).amount for name, units in sorted(minor.items())}
