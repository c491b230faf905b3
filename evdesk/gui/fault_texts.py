"""How faults are written for people."""

from datetime import datetime, timedelta

from PySide6.QtCore import QCoreApplication

from evdesk.domain.faults import CATALOGUE, Fault, FaultCode, Severity
from evdesk.gui import texts
from evdesk.gui.texts import Look
from evdesk.gui.theme import Tone

translate = QCoreApplication.translate


def severity_look(severity: Severity) -> Look:
    """Return word, tone and icon of a severity."""
    return {
        Severity.CRITICAL: (translate("faults", "Critical"), Tone.DANGER, "error"),
        Severity.WARNING: (translate("faults", "Warning"), Tone.WARNING, "warning"),
        Severity.INFO: (translate("faults", "To know"), Tone.INFO, "info"),
    }[severity]


def title(code: FaultCode) -> str:
    """Return a code in a few words."""
    return translate("faults", CATALOGUE[code].title)


def meaning(fault: Fault) -> str:
    """Return what it means, with what is known of this one."""
    template, facts = fault.detail()
    detail = translate("faults", template).format(**facts) if template else ""
    return f"{translate('faults', CATALOGUE[fault.code].meaning)} {detail}".strip()


def action(fault: Fault) -> str:
    """Return what to do, in one sentence."""
    return translate("faults", CATALOGUE[fault.code].action)


def where(fault: Fault) -> str:
    """Return the charging point or the device; the site's own faults are this computer's."""
    return fault.station or fault.meter or translate("faults", "This computer")


def state_look(fault: Fault) -> Look:
    """Return word, tone and icon of where a fault stands."""
    if not fault.is_open:
        return translate("faults", "Over"), Tone.NEUTRAL, "ok"
    if fault.acknowledged_at is None:
        return translate("faults", "Open"), Tone.DANGER, "faults"
    return translate("faults", "Seen"), Tone.INFO, "user"


def lasted(fault: Fault, now: datetime) -> str:
    """Return how long it lasted, or lasts so far."""
    return span((fault.until_at or now) - fault.since_at)


def span(length: timedelta) -> str:
    """Return a duration; one below a minute in seconds."""
    seconds = max(round(length.total_seconds()), 0)
    if seconds < 60:
        return translate("faults", "{seconds} s").format(seconds=seconds)
    return texts.duration(length)


def headline(fault: Fault) -> str:
    """Return where and what, for one line."""
    return translate("faults", "{where}: {what}").format(where=where(fault), what=title(fault.code))
