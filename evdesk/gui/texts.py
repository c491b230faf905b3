"""How values are written for people: numbers, units, instants, states, errors."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from evdesk.domain.errors import EvdeskError
from evdesk.domain.invoices import InvoiceState
from evdesk.domain.meters import MeterState
from evdesk.domain.money import Money, minor_digits
from evdesk.domain.reconciling import GapKind, Remainder, RestKind
from evdesk.domain.sessions import Flag, Session, SessionState
from evdesk.gui.theme import Tone
from evdesk.ports import Remark
from evdesk.services.live import StationState

NONE = "–"
Look = tuple[str, Tone, str]  # word, tone, icon


translate = QCoreApplication.translate

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


def plain_kwh(wh: int) -> str:
    """Return energy in kWh as people type it: all digits, no grouping."""
    exact = (Decimal(wh) / 1000).quantize(Decimal("0.001"))
    return format(exact, "f").replace(".", QLocale().decimalPoint())


def signed_kwh(wh: int | None) -> str:
    """Return energy that may be below 0, with its sign, in kWh without the unit."""
    return kwh(wh) if wh is None or wh >= 0 else f"−{kwh(-wh)}"


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
    return translate("texts", "{seconds} s").format(seconds=number(milliseconds / 1000, decimals))


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
        return translate("texts", "{days} d {hours} h").format(days=days, hours=hours)
    if hours:
        return translate("texts", "{hours} h {minutes:02d} min").format(
            hours=hours, minutes=minutes % 60
        )
    return translate("texts", "{minutes} min").format(minutes=minutes)


# -- states ---------------------------------------------------------------------------------------


def station_look(state: StationState) -> Look:
    """Return word, tone and icon of a station's state."""
    return {
        StationState.NEW: (translate("texts", "Not read yet"), Tone.NEUTRAL, "info"),
        StationState.PAUSED: (translate("texts", "Not reading"), Tone.NEUTRAL, "pause"),
        StationState.SILENT: (translate("texts", "No answer"), Tone.WARNING, "warning"),
        StationState.FREE: (translate("texts", "Free"), Tone.NEUTRAL, "ok"),
        StationState.CONNECTED: (translate("texts", "Connected"), Tone.INFO, "plug"),
        StationState.CHARGING: (translate("texts", "Charging"), Tone.POSITIVE, "bolt"),
        StationState.FAULT: (translate("texts", "Fault"), Tone.DANGER, "error"),
    }[state]


def meter_look(state: MeterState) -> Look:
    """Return word, tone and icon of a device's state."""
    return {
        MeterState.NEW: (translate("texts", "Not read yet"), Tone.NEUTRAL, "info"),
        MeterState.OK: (translate("texts", "Answers"), Tone.POSITIVE, "ok"),
        MeterState.SILENT: (translate("texts", "Silent"), Tone.WARNING, "warning"),
        MeterState.FAULT: (translate("texts", "Fault"), Tone.DANGER, "error"),
    }[state]


def session_look(session: Session) -> Look:
    """Return word, tone and icon of a session: its state, or that it is billed."""
    if session.invoice is not None:
        return translate("texts", "Billed"), Tone.POSITIVE, "lock"
    return session_state(session.state)


def session_state(state: SessionState) -> Look:
    """Return word, tone and icon of a session's state."""
    return {
        SessionState.OPEN: (translate("texts", "Open"), Tone.INFO, "plug"),
        SessionState.CLOSED: (translate("texts", "Closed"), Tone.NEUTRAL, "ok"),
        SessionState.REVIEW: (translate("texts", "Review"), Tone.WARNING, "warning"),
    }[state]


def invoice_look(state: InvoiceState) -> Look:
    """Return word, tone and icon of an invoice's state."""
    return {
        InvoiceState.DRAFT: (translate("texts", "Draft"), Tone.NEUTRAL, "info"),
        InvoiceState.ISSUED: (translate("texts", "Issued"), Tone.POSITIVE, "lock"),
    }[state]


def left_kwh(left: Remainder | None) -> str:
    """Return what is left to explain in kWh without the unit: both, where above and below."""
    if left is None or not (left.above_wh and left.below_wh):
        return signed_kwh(None if left is None else left.sum_wh)
    return f"+{kwh(left.above_wh)} {signed_kwh(left.below_wh)}"


def month_look(left: Remainder | None) -> Look:
    """Return word, tone and icon of a register's month: it adds up, or so much is left, or None."""
    if left is None:
        return translate("texts", "Damaged"), Tone.DANGER, "error"
    if left.amount_wh == 0:
        return translate("texts", "Adds up"), Tone.POSITIVE, "ok"
    return translate("texts", "{kwh} kWh").format(kwh=left_kwh(left)), Tone.WARNING, "warning"


def rest(of: RestKind) -> str:
    """Return what a remainder of a month comes from."""
    return {
        RestKind.CORRECTION: translate(
            "texts", "The session was corrected to another energy than its register counted."
        ),
        RestKind.MISMATCH: translate(
            "texts", "The session says another energy than its register counted."
        ),
        RestKind.OVERLAP: translate("texts", "Another session has the same energy, too."),
        RestKind.NO_REGISTER: translate(
            "texts", "The session has no register, but its meter counted meanwhile."
        ),
        RestKind.FORCED_END: translate(
            "texts", "Counted after the session was ended by hand; perhaps the same car's."
        ),
    }[of]


def gap(of: GapKind) -> str:
    """Return why nobody can say when energy was counted."""
    return {
        GapKind.SILENCE: translate("texts", "Counted while nobody read the meter."),
        GapKind.RESET: translate(
            "texts", "The register began anew. What it counted since its last read is lost."
        ),
        GapKind.REWIND: translate(
            "texts",
            "The device restored an older register. What it counted until it had passed its old "
            "value is not in any session.",
        ),
        GapKind.REPLACED: translate("texts", "Counted around the replacement of the meter."),
        GapKind.CAUGHT_UP: translate(
            "texts", "The register stood still and caught up: nobody knows when it was counted."
        ),
    }[of]


def flag(of: Flag) -> tuple[str, str]:
    """Return a flag's word and what it means."""
    return {
        Flag.ESTIMATED_START: (
            translate("texts", "Start estimated"),
            translate(
                "texts",
                "Nobody watched when the car was plugged in. The energy counts from the first "
                "register that was read.",
            ),
        ),
        Flag.ESTIMATED_END: (
            translate("texts", "End estimated"),
            translate(
                "texts",
                "Nobody watched when the car was unplugged. The session ends at the last register "
                "that was read.",
            ),
        ),
        Flag.COMM_GAP: (
            translate("texts", "Gap"),
            translate(
                "texts",
                "The meter was silent for a while during the session. Its register kept counting, "
                "so the energy is complete.",
            ),
        ),
        Flag.INTERRUPTED: (
            translate("texts", "Interrupted"),
            translate(
                "texts", "The collector was stopped during the session and took it up again."
            ),
        ),
        Flag.METER_RESET: (
            translate("texts", "Meter reset"),
            translate(
                "texts",
                "The register began anew or jumped. Only energy that was surely counted is in the "
                "session; somebody has to look at it before it is billed.",
            ),
        ),
        **_counter_flags(),
        Flag.NO_REGISTER: (
            translate("texts", "No register"),
            translate("texts", "The meter never told its register, so there is no energy to bill."),
        ),
    }[of]


def _counter_flags() -> dict[Flag, tuple[str, str]]:
    """Return the words for what a counter or a clock did."""
    return {
        Flag.METER_CHANGED: (
            translate("texts", "Meter replaced"),
            translate("texts", "The meter was replaced during the session; both counters add up."),
        ),
        Flag.METER_REWOUND: (
            translate("texts", "Register stepped back"),
            translate(
                "texts",
                "The device restored an older register after a power cut. Nothing is counted until "
                "it has passed its old value again.",
            ),
        ),
        Flag.ROLLOVER: (
            translate("texts", "Register rolled over"),
            translate("texts", "The register passed its last digit and began again at zero."),
        ),
        Flag.CLOCK_STEP: (
            translate("texts", "Clock stepped"),
            translate(
                "texts",
                "This computer's clock was set during the session; the energy is not affected.",
            ),
        ),
        Flag.POWER_MISMATCH: (
            translate("texts", "Power disagrees"),
            translate(
                "texts",
                "The register counted more than 5 % more or less than the power that was measured.",
            ),
        ),
        Flag.REGISTER_FROZEN: (
            translate("texts", "Register stood still"),
            translate("texts", "Power was drawn while the register did not move."),
        ),
        Flag.UNSEEN_REPLUG: (
            translate("texts", "Perhaps two cars"),
            translate(
                "texts",
                "While nobody could watch, the car was unplugged and a car was plugged in again.",
            ),
        ),
        Flag.FORCED_END: (
            translate("texts", "Ended by hand"),
            translate("texts", "Somebody ended the session; its device no longer answered."),
        ),
    }


def event(kind: str) -> str:
    """Return what happened, for one row of a session's log."""
    known = {
        "opened": translate("texts", "Plugged in"),
        "based": translate("texts", "First register"),
        "charging_started": translate("texts", "Charging started"),
        "charging_stopped": translate("texts", "Charging stopped"),
        "epoch_began": translate("texts", "Register began anew"),
        "closed": translate("texts", "Unplugged"),
        "assigned": translate("texts", "Assigned to a driver"),
        "corrected": translate("texts", "Corrected"),
        "released": translate("texts", "Released from review"),
        "ended": translate("texts", "Ended by hand"),
    }
    return known.get(kind, kind.replace("_", " ").capitalize())


# -- errors ---------------------------------------------------------------------------------------


def sentence(error: object) -> str:
    """Return what people read of an error; of a bug only that it is one."""
    if isinstance(error, EvdeskError):
        return translate("errors", error.template).format(**error.facts)
    return translate(
        "texts",
        "Something went wrong inside the program ({kind}). What was saved before is safe. Try "
        "again; if it comes back, send the log file to whoever looks after evdesk.",
    ).format(kind=type(error).__name__)


def remark(of: Remark) -> str:
    """Return what people read of a remark on a device or a value."""
    return translate("remarks", of.template).format(**of.facts)
