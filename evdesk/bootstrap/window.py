"""The window: the one place that imports Qt, and only when it is opened."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from evdesk.bootstrap.backing_up import restore_service
from evdesk.bootstrap.demo import DemoDepot
from evdesk.bootstrap.logbook import DESK_LOG, logbook
from evdesk.bootstrap.running import CollectorChild
from evdesk.bootstrap.sites import (
    Opened,
    SiteRequest,
    create_site,
    has_several_accounts,
    open_site,
    open_with_keyring,
    seconds_to_wait,
)
from evdesk.domain.secrets import Secret
from evdesk.domain.site import AccountId
from evdesk.ports import Store
from evdesk.services.restoring import RestoreService
from evdesk.storage import site_folder, swapping

if TYPE_CHECKING:
    from evdesk.gui.desk import Desk


class Door:
    """How the window gets at a site: create, unlock, or try the demo."""

    def __init__(self) -> None:
        self._demos: list[DemoDepot] = []

    def exists(self, folder: Path) -> bool:
        """Return whether a site is there; a restore that was cut off is finished first."""
        swapping.finish(folder)
        return (folder / site_folder.SITE_DB).exists()

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
    ) -> "tuple[Desk, str]":
        """Create a site; return its desk and the recovery code, shown once."""
        request = SiteRequest(
            name=name,
            owner=owner,
            tz=tz,
            currency=currency,
            country=country,
            language=language,
            demo=False,
        )
        made = create_site(folder, Secret(password.encode()), request)
        return self.unlock(folder, None, password), made.recovery_code

    def has_several_accounts(self, folder: Path) -> bool:
        """Return whether somebody has to say whose password it is."""
        return has_several_accounts(folder)

    def seconds_to_wait(self, folder: Path) -> int:
        """Return how long it takes until a password may be tried again."""
        return seconds_to_wait(folder)

    def open_with_keyring(self, folder: Path) -> "Desk | None":
        """Open a site with the keyring of this computer, where somebody has turned that on."""
        opened = open_with_keyring(folder)
        return None if opened is None else desk_of(opened)

    def unlock(self, folder: Path, user: str | None, password: str) -> "Desk":
        """Open a site."""
        return desk_of(open_site(folder, Secret(password.encode()), user))

    def restores(self) -> RestoreService:
        """Return what restores a backup."""
        return restore_service()

    def demo(self) -> "Desk":
        """Make a throw-away demo depot and open it."""
        depot = DemoDepot(lambda _sentence: None)
        self._demos.append(depot)
        opened = depot.build(days=1)
        depot.run()
        return desk_of(opened)

    def close(self) -> None:
        """Remove what the demo made."""
        for depot in self._demos:
            depot.stop()


def desk_of(opened: Opened) -> "Desk":
    """Return what the window needs of an open site."""
    from evdesk.gui.desk import Desk, Who

    services = opened.services
    name = _name(services.store)

    def prove(password: str) -> None:
        open_site(opened.folder, Secret(password.encode()), name).services.store.close()

    return Desk(
        who=Who(name, services.store.actor.role),
        forget=services.store.close,
        prove=prove,
        site=services.site,
        live=services.live,
        meters=services.meters,
        finding=services.finding,
        stations=services.stations,
        drivers=services.drivers,
        cards=services.cards,
        consents=services.consents,
        notices=services.notices,
        replacements=services.replacements,
        tariffs=services.tariffs,
        sessions=services.sessions,
        reviews=services.reviews,
        months=services.months,
        billing=services.billing,
        exports=services.exports,
        faults=services.faults,
        mail=services.mail,
        meter_facts=services.meter_facts,
        collector=CollectorChild(opened),
        audit=services.audit,
        accounts=services.accounts,
        keys=services.keys,
        backups=services.backups,
    )


def _name(store: Store) -> str:
    """Return the name of whose account opened the site; who has the recovery code has none."""
    with store.read() as unit:
        account = unit.accounts.by_id(AccountId(store.actor.ref))
    return store.actor.ref if account is None else account.name


def open_window(folder: Path, opened: Opened | None = None) -> int:
    """Open the window and return its exit code."""
    from evdesk.gui import app

    door = Door()
    has_folder = (folder / site_folder.SITE_DB).exists()
    with logbook(folder, DESK_LOG) if has_folder else nullcontext():
        try:
            return app.run(door, folder, None if opened is None else desk_of(opened))
        finally:
            door.close()


def picture(opened: Opened, out: Path) -> None:
    """Save a picture of the Live page."""
    from evdesk.gui import app

    app.screenshot(desk_of(opened), out)
