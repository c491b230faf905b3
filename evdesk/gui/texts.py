"""How values are written for people: numbers, units, instants, states, errors."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from evdesk.domain.errors import EvdeskError
from evdesk.domain.invoices import InvoiceState
from evdesk.domain.meters import MeterState
from evdesk.domain.money import Money, minor_digits
from evdesk.domain.sessions import Flag, Session, SessionState
from evdesk.gui.theme import Tone
from evdesk.services.live import StationState

NONE = "–"
Look = tuple[str, Tone, str]  # word, tone, icon


def tr(text: str) -> str:
    """Translate a text of this module."""
    return QCoreApplication.translate("texts", text)


# -- numbers --------------------------------------------------------------------------------------


def number(value: Decimal | float, decimals: int) -> str:
    """Return a number as the locale writes it, exactly."""
    exact = value if isinstance(value, Decimal) else Decimal(value)
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    whole, _, part = f"{rounded:,f}".partition(".")
    locale = QLocale()
    grouped = whole.replace(",", locale.groupSeparator())
    return f"{grouped}{locale.decimalPoint()}{part}" if part else grouped


def plain(value: Decimal) -> str:
    """Return a decimal with the digits it has, at least two where it has any."""
    shown = value.normalize()
    exponent = shown.as_tuple().exponent
    decimals = max(-exponent, 0) if isinstance(exponent, int) else 0
    return number(value, 2 if decimals == 1 else decimals)


def kwh(wh: int | None, decimals: int = 3) -> str:
    """Return energy in kWh without the unit."""
    return NONE if wh is None else number(Decimal(wh) / 1000, decimals)


def kilowatts(power_w: float | None, decimals: int = 2) -> str:
    """Return power in kW without the unit."""
    return NONE if power_w is None else number(power_w / 1000, decimals)


def amps(current_a: float | None) -> str:
    """Return a current in A without the unit."""
    return NONE if current_a is None else number(current_a, 1)


def money(amount: Money) -> str:
    """Return an amount with its currency."""
    return f"{number(amount.amount, minor_digits(amount.currency))} {amount.currency}"


def seconds(milliseconds: int | None) -> str:
    """Return an interval in seconds with its unit."""
    if milliseconds is None:
        return NONE
    decimals = 0 if milliseconds % 1000 == 0 else 1 if milliseconds >= 1000 else 2
    return tr("{seconds} s").format(seconds=number(milliseconds / 1000, decimals))


# -- instants -------------------------------------------------------------------------------------


def clock_time(at: datetime | None, zone: ZoneInfo, *, with_seconds: bool = False) -> str:
    """Return the local time of day."""
    if at is None:
        return NONE
    return at.astimezone(zone).strftime("%H:%M:%S" if with_seconds else "%H:%M")


def day(at: datetime | None, zone: ZoneInfo) -> str:
    """Return the local date."""
    if at is None:
        return NONE
    local = at.astimezone(zone)
    return QLocale().toString(QDate(local.year, local.month, local.day), "d MMM yyyy")


def stamp(at: datetime | None, zone: ZoneInfo, *, with_seconds: bool = False) -> str:
    """Return local date and time."""
    if at is None:
        return NONE
    return f"{day(at, zone)}  {clock_time(at, zone, with_seconds=with_seconds)}"


def short_stamp(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return weekday, date and time; the year only where it is not this one."""
    local = at.astimezone(zone)
    form = "ddd d MMM" if local.year == now.astimezone(zone).year else "d MMM yyyy"
    date = QLocale().toString(QDate(local.year, local.month, local.day), form)
    return f"{date}  {local:%H:%M}"


def month(at: datetime, zone: ZoneInfo) -> str:
    """Return the month with its year, such as ``March 2026``."""
    local = at.astimezone(zone)
    return QLocale().toString(QDate(local.year, local.month, 1), "MMMM yyyy")


def duration(span: timedelta) -> str:
    """Return hours and minutes, or days and hours."""
    minutes = int(span.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return tr("{days} d {hours} h").format(days=days, hours=hours)
    if hours:
        return tr("{hours} h {minutes:02d} min").format(hours=hours, minutes=minutes % 60)
    return tr("{minutes} min").format(minutes=minutes)


# -- states ---------------------------------------------------------------------------------------


def station_look(state: StationState) -> Look:
    """Return word, tone and icon of a station's state."""
    return {
        StationState.NEW: (tr("Not read yet"), Tone.NEUTRAL, "info"),
        StationState.SILENT: (tr("No answer"), Tone.WARNING, "warning"),
        StationState.FREE: (tr("Free"), Tone.NEUTRAL, "ok"),
        StationState.CONNECTED: (tr("Connected"), Tone.INFO, "plug"),
        StationState.CHARGING: (tr("Charging"), Tone.POSITIVE, "bolt"),
        StationState.FAULT: (tr("Fault"), Tone.DANGER, "error"),
    }[state]


def meter_look(state: MeterState) -> Look:
    """Return word, tone and icon of a device's state."""
    return {
        MeterState.NEW: (tr("Not read yet"), Tone.NEUTRAL, "info"),
        MeterState.OK: (tr("Answers"), Tone.POSITIVE, "ok"),
        MeterState.SILENT: (tr("Silent"), Tone.WARNING, "warning"),
        MeterState.FAULT: (tr("Fault"), Tone.DANGER, "error"),
    }[state]


def session_look(session: Session) -> Look:
    """Return word, tone and icon of a session: its state, or that it is billed."""
    if session.invoice is not None:
        return tr("Billed"), Tone.POSITIVE, "lock"
    return session_state(session.state)


def session_state(state: SessionState) -> Look:
    """Return word, tone and icon of a session's state."""
    return {
        SessionState.OPEN: (tr("Open"), Tone.INFO, "plug"),
        SessionState.CLOSED: (tr("Closed"), Tone.NEUTRAL, "ok"),
        SessionState.REVIEW: (tr("Review"), Tone.WARNING, "warning"),
    }[state]


def invoice_look(state: InvoiceState) -> Look:
    """Return word, tone and icon of an invoice's state."""
    return {
        InvoiceState.DRAFT: (tr("Draft"), Tone.NEUTRAL, "info"),
        InvoiceState.ISSUED: (tr("Issued"), Tone.POSITIVE, "lock"),
    }[state]


def flag(of: Flag) -> tuple[str, str]:
    """Return a flag's word and what it means."""
    return {
        Flag.ESTIMATED_START: (
            tr("Start estimated"),
            tr("Nobody watched when the car was plugged in. The energy counts from the first "
               "register that was read."),
        ),
        Flag.ESTIMATED_END: (
            tr("End estimated"),
            tr("Nobody watched when the car was unplugged. The session ends at the last register "
               "that was read."),
        ),
        Flag.COMM_GAP: (
            tr("Gap"),
            tr("The meter was silent for a while during the session. Its register kept counting, "
               "so the energy is complete."),
        ),
        Flag.INTERRUPTED: (
            tr("Interrupted"),
            tr("The collector was stopped during the session and took it up again."),
        ),
        Flag.METER_RESET: (
            tr("Meter reset"),
            tr("The register began anew or jumped. Only energy that was surely counted is in the "
               "session; somebody has to look at it before it is billed."),
        ),
        Flag.NO_REGISTER: (
            tr("No register"),
            tr("The meter never told its register, so there is no energy to bill."),
        ),
    }[of]  # fmt: skip


def event(kind: str) -> str:
    """Return what happened, for one row of a session's log."""
    known = {
        "opened": tr("Plugged in"),
        "based": tr("First register"),
        "charging_started": tr("Charging started"),
        "charging_stopped": tr("Charging stopped"),
        "epoch_began": tr("Register began anew"),
        "closed": tr("Unplugged"),
        "assigned": tr("Assigned to a driver"),
        "corrected": tr("Corrected"),
        "released": tr("Released from review"),
    }
    return known.get(kind, kind.replace("_", " ").capitalize())


# -- errors ---------------------------------------------------------------------------------------


def sentence(error: object) -> str:
    """Return what people read of an error; of a bug only that it is one."""
    if isinstance(error, EvdeskError):
        return QCoreApplication.translate("errors", error.template).format(**error.facts)
    return tr(
        "Something went wrong inside the program ({kind}). What was saved before is safe. Try "
        "again; if it comes back, send the log file to whoever looks after evdesk."
    ).format(kind=type(error).__name__)
