"""What the window is given: the use cases of one unlocked site, and the ways to open one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evdesk.domain.site import Role
from evdesk.services.accounts import AccountService
from evdesk.services.auditing import AuditService
from evdesk.services.backups import BackupService
from evdesk.services.billing import BillingService
from evdesk.services.cards import CardService
from evdesk.services.consents import ConsentService
from evdesk.services.drivers import DriverService
from evdesk.services.exporting import ExportService
from evdesk.services.faults import FaultService
from evdesk.services.finding import FindingService
from evdesk.services.keys import KeyService
from evdesk.services.live import LiveService
from evdesk.services.mailing import MailService
from evdesk.services.meter_facts import MeterFactsService
from evdesk.services.metering import MeterService
from evdesk.services.notices import NoticeService
from evdesk.services.reconciling import ReconcileService
from evdesk.services.replacing import ReplacementService
from evdesk.services.restoring import RestoreService
from evdesk.services.reviewing import ReviewService
from evdesk.services.sessions import SessionService
from evdesk.services.sites import SiteService
from evdesk.services.stations import StationService
from evdesk.services.tariffs import TariffService


class CollectorControl(Protocol):
    """Starts and stops the process that reads the devices; called off the GUI thread."""

    def running(self) -> bool:
        """Return whether a collector of this site lives, whoever started it."""

    def start(self) -> None:
        """Start one as a child process that outlives the window.

        Raises:
            EvdeskError: one runs already, or the process cannot be started.

        """

    def stop(self) -> None:
        """Ask it to end; it does within a second or two."""


@dataclass(frozen=True, slots=True)
class Who:
    """Whose account opened the site; of the program itself there is no role."""

    name: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases of one unlocked site.

    ``forget`` lets go of the site and its key, as far as a program can; nothing works afterwards.
    ``prove`` tries the password of whoever opened it, and raises what a wrong one raises.
    """

    who: Who
    forget: Callable[[], None]
    prove: Callable[[str], None]
    site: SiteService
    live: LiveService
    meters: MeterService
    finding: FindingService
    stations: StationService
    drivers: DriverService
    cards: CardService
    consents: ConsentService
    notices: NoticeService
    replacements: ReplacementService
    tariffs: TariffService
    sessions: SessionService
    reviews: ReviewService
    months: ReconcileService
    billing: BillingService
    exports: ExportService
    faults: FaultService
    mail: MailService
    meter_facts: MeterFactsService
    collector: CollectorControl
    audit: AuditService
    accounts: AccountService
    keys: KeyService
    backups: BackupService


class FirstRun(Protocol):
    """The ways to a desk while no site is open; all are called off the GUI thread."""

    def exists(self, folder: Path) -> bool:
        """Return whether the folder holds a site."""

    def create(  # noqa: PLR0913, PLR0917 - the fields of the first-run form
        self,
        folder: Path,
        name: str,
        owner: str,
        password: str,
        tz: str,
        currency: str,
        country: str,
        language: str,
    ) -> tuple[Desk, str]:
        """Create a site with its owner; return its desk and the recovery code, shown once."""

    def has_several_accounts(self, folder: Path) -> bool:
        """Return whether somebody has to say whose password it is."""

    def seconds_to_wait(self, folder: Path) -> int:
        """Return how long it takes until a password may be tried again."""

    def open_with_keyring(self, folder: Path) -> Desk | None:
        """Open a site with the keyring of this computer, where somebody has turned that on.

        Raises:
            StorageError: the keyring is locked or fails.

        """

    def unlock(self, folder: Path, user: str | None, password: str) -> Desk:
        """Open a site with a password or the recovery code.

        Raises:
            WrongKey: neither opens it.

        """

    def restores(self) -> RestoreService:
        """Return what restores a backup; no site need be open, and none may be."""

    def demo(self) -> Desk:
        """Make a throw-away site with simulated devices and a running collector."""
