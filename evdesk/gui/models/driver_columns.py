"""The columns of the list of drivers."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication

from evdesk.domain.site import Driver, Party
from evdesk.gui import texts
from evdesk.gui.models.rows import Chip, Column
from evdesk.gui.theme import Tone


@dataclass(frozen=True, slots=True)
class DriverRow:
    """A driver with how many of the ``purposes`` they agree to, and have to renew."""

    driver: Driver
    agreed: int
    due: int
    purposes: int


def driver_columns(zone: ZoneInfo) -> list[Column[DriverRow]]:
    """Return the columns; in a narrow table the last ones go first."""
    return [
        Column(_tr("Name"), lambda r: r.driver.party.name,
               tooltip=lambda r: r.driver.party.name, width=200, least=120),
        Column(_tr("Pseudonym"), lambda r: r.driver.id, width=124, spare=1,
               tooltip=lambda _: _tr("What stands in files and the log for the name")),
        Column(_tr("Consents"), _agreed, chips=_chips, width=104,
               tooltip=_about_consents, sort_key=lambda r: r.agreed),
        Column(_tr("E-mail"), lambda r: r.driver.party.email or texts.NONE, spare=2,
               tooltip=lambda r: r.driver.party.email, width=200, least=130),
        Column(_tr("Address"), lambda r: address(r.driver.party) or texts.NONE, spare=3,
               tooltip=lambda r: address(r.driver.party), width=260, least=130),
        Column(_tr("Language"), lambda r: r.driver.language, width=100, spare=5),
        Column(_tr("Since"), lambda r: texts.day(r.driver.created_at, zone),
               sort_key=lambda r: r.driver.created_at, width=0, least=120, spare=4),
    ]  # fmt: skip


def address(party: Party) -> str:
    """Return an address in one line."""
    place = f"{party.postcode} {party.city}".strip()
    return ", ".join(part for part in (party.street, place, party.country) if part)


def _tr(text: str) -> str:
    return QCoreApplication.translate("DriversPage", text)


def _agreed(of: DriverRow) -> str:
    return _tr("{agreed} of {count}").format(agreed=of.agreed, count=of.purposes)


def _chips(of: DriverRow) -> list[Chip]:
    if of.due:
        return [Chip(_agreed(of), Tone.WARNING, "warning")]
    return [Chip(_agreed(of), Tone.NEUTRAL)]


def _about_consents(of: DriverRow) -> str:
    if not of.due:
        return _tr("Optional purposes that the driver agrees to")
    return _tr("To be renewed: {count}").format(count=of.due)
