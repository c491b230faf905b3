"""The column of a list of meters that says how long their calibrations are valid."""

from datetime import date
from functools import partial

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.models.rows import Chip, Column
from evdesk.gui.theme import Tone
from evdesk.services.metering import MeterRow
from evdesk.settings import FAULTS


def calibration_column(context: Context) -> Column[MeterRow]:
    """Return the column; its tooltip tells what else is written on the meter."""
    return Column(
        _tr("Calibrated until"),
        lambda of: _day(of.meter.calibrated_until),
        chips=partial(_chips, context),
        tooltip=_label,
        sort_key=lambda of: of.meter.calibrated_until,
        width=0,
        least=144,
        spare=2,
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("DevicesPanel", text)


def _day(until: date | None) -> str:
    if until is None:
        return texts.NONE
    return QLocale().toString(QDate(until.year, until.month, until.day), "d MMM yyyy")


def _chips(context: Context, of: MeterRow) -> list[Chip]:
    """Return the date in the colour of what is left: expired, within weeks, or enough."""
    until = of.meter.calibrated_until
    if until is None:
        return []
    left = until - context.pulse.now().astimezone(context.zone).date()
    if left.days < 0:
        return [Chip(_day(until), Tone.DANGER, "error")]
    if left.days <= FAULTS.calibration_days:
        return [Chip(_day(until), Tone.WARNING, "warning")]
    return [Chip(_day(until), Tone.NEUTRAL)]


def _label(of: MeterRow) -> str:
    meter, seen = of.meter, of.status.seen_serial
    lines = (
        _tr("Serial number: {text}").format(text=meter.serial or texts.NONE),
        "" if seen is None else _tr("It says: {text}").format(text=seen),
        _tr("MID class: {text}").format(text=meter.mid_class or texts.NONE),
        _tr("Seal: {text}").format(text=meter.seal or texts.NONE),
    )
    return "\n".join(filter(None, lines))
